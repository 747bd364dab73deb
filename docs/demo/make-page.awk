BEGIN { FS = ","; print "<h1>" title "</h1><table>" }
{ print "<tr><td>" $1 "</td><td>" $2 "</td></tr>" }
END { print "</table>" }
