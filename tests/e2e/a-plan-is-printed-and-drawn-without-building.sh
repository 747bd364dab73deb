# build --print and graph show what a build would do and execute nothing.
. "$(dirname "$0")/common.sh"
dockerfile <<'EOF'
FROM scratch AS a
RUN no-such-program
FROM scratch
COPY --from=a /x /y
EOF
exits 0 cbuild build --print=ast "$t/context"
says '(copy :line 4 :from "a" "/x" "/y")'
exits 0 cbuild build --print=plan "$t/context"
says '(step 1 copy "/x" "/y" :line 4 :from 0)'
exits 0 cbuild build --print=dot "$t/context"
says 's0 -> s1'
cbuild graph -o "$t/plan.svg" "$t/context"
python3 -c 'import sys, xml.dom.minidom as x; x.parse(sys.argv[1])' "$t/plan.svg"
cbuild graph "$t/context" | cmp - "$t/plan.svg"
exits 2 cbuild graph -o "$t/plan.png" "$t/context"
says 'want a name that ends in .svg or .dot'
not [ -e "$t/plan.png" ]
