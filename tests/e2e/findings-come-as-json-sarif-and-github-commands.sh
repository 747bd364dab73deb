. "$(dirname "$0")/common.sh"
need python3 python3
dockerfile <<<$'FROM scratch\nLABEL a=$B%\nWORKDIR x:y,z\nEXPOSE 1/x'
exits 2 cbuild check --format json "$t/context"
python3 - "$t/said" <<'P'
import base64, json, sys
got = json.JSONDecoder().raw_decode(open(sys.argv[1]).read())[0]
assert [w["ruleName"] for w in got["warnings"]] == ["UndefinedVar", "WorkdirRelativePath"], got
assert got["warnings"][0]["location"] == {"ranges": [{"start": {"line": 2}, "end": {"line": 2}}]}
assert got["buildError"]["location"]["ranges"][0]["start"]["line"] == 4
assert base64.b64decode(got["sources"][0]["data"]).startswith(b"FROM scratch\n")
P
exits 2 cbuild check --format sarif "$t/context"
python3 - "$t/said" <<'P'
import json, sys
run = json.JSONDecoder().raw_decode(open(sys.argv[1]).read())[0]["runs"][0]
rules = [r["id"] for r in run["tool"]["driver"]["rules"]]
assert [r["level"] for r in run["results"]] == ["warning", "warning", "error"]
assert all(r["ruleId"] in rules for r in run["results"])
assert run["results"][1]["locations"][0]["physicalLocation"]["region"] == {"startLine": 3, "endLine": 3}
P
exits 2 cbuild check --format github "$t/context"
says ",line=2,endLine=2,title=UndefinedVar::Usage of undefined variable '\$B'"
says '::error file='
exits 0 cbuild build --call=targets,format=json "$t/context"
says '"base": "scratch"'
