#!/usr/bin/env python3
"""Makes an SVG picture of a terminal from `tmux capture-pane -e -p`.

  tmux capture-pane -e -p -t SESSION | docs/terminal-svg.py TITLE > docs/picture.svg"""
import re, sys
from xml.sax.saxutils import escape

COLOURS = {"31": "#f7768e", "32": "#9ece6a", "33": "#e0af68", "34": "#7aa2f7", "36": "#7dcfff", "90": "#7a819c"}
CELL, ROW, PAD, TOP = 8.43, 19, 14, 40


def runs(line, style):
    """(column, text, SVG attributes) of each piece of one colour; `style` lasts
    from line to line, as tmux writes only what changes."""
    column = 0
    for part in re.split(r"(\x1b\[[0-9;]*m)", line):
        if part.startswith("\x1b["):
            for code in (part[2:-1] or "0").split(";"):
                if code in ("0", ""):
                    style.clear()
                elif code == "39":
                    style.pop("fill", None)
                elif code == "1":
                    style["font-weight"] = "bold"
                elif code == "2":
                    style["fill"] = "#7a819c"
                elif code in COLOURS:
                    style["fill"] = COLOURS[code]
        elif part:
            if part.strip():
                blanks = len(part) - len(part.lstrip())
                yield column + blanks, part.strip(), " ".join(f'{k}="{v}"' for k, v in style.items())
            column += len(part)


def main():
    lines = sys.stdin.read().rstrip().split("\n")
    plain = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in lines]
    width = PAD * 2 + CELL * max(map(len, plain))
    height = TOP + ROW * len(lines) + PAD
    print(f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height}" viewBox="0 0 {width:.0f} {height}">')
    print('<style>text{font:14px "DejaVu Sans Mono",Menlo,Consolas,monospace;white-space:pre;fill:#c0caf5}</style>')
    print(f'<rect width="100%" height="100%" rx="8" fill="#1a1b26"/><text x="{PAD}" y="24" fill="#7a819c">{escape(sys.argv[1])}</text>')
    style = {}
    for number, line in enumerate(lines):
        for column, text, attributes in runs(line, style):
            print(f'<text x="{PAD + column * CELL:.1f}" y="{TOP + ROW * number + 14}" textLength="{len(text) * CELL:.1f}" {attributes}>{escape(text)}</text>')
    print("</svg>")


if __name__ == "__main__":
    main()
