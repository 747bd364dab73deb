. "$(dirname "$0")/common.sh"
check() { cbuild check "$@" "$t/context"; }
dockerfile <<<$'FROM scratch\nCMD ["run"]'
exits 0 check
says 'Check complete, no warnings found.'
dockerfile <<<$'FROM scratch\nCMD run'
exits 1 check
says 'Check complete, 1 warning has been found!'
says 'WARNING: JSONArgsRecommended - https://'
says '   2 | >>> CMD run'
exits 1 cbuild build --check "$t/context"
exits 0 cbuild build --call=check,ignorestatus=true "$t/context"
exits 0 check --build-arg BUILDKIT_DOCKERFILE_CHECK=skip=all
dockerfile <<<$'FROM scratch AS Base\nEXPOSE 1/x'
exits 2 check
says 'WARNING: StageNameCasing'
says 'Dockerfile:2:8: invalid port: "1/x": invalid proto: x'
exits 2 check --target bas
says '(did you mean base?)'
dockerfile <<<$'# check=error=true\nFROM scratch\nCMD run'
exits 2 check
says 'lint violation found for rules: JSONArgsRecommended'
exits 2 check --format xml
exits 2 check --experimental NoSuchRule
exits 2 cbuild build --call=checks "$t/context"
says '(did you mean check?)'
exits 2 cbuild build --check --call=targets "$t/context"
