# Prints what each service gets: files are deploy/settings/all.txt, its lists, docker-compose.yml, and `docker compose config` (-).
# -v names: the names in .env. -v all=all: settings that nobody has set too, with their defaults.

BEGIN { n = split(names, list, " "); for (i = 1; i <= n; i++) in_env[list[i]] = 1 }

# Where the value of a variable of docker-compose.yml is from.
function origin(name) { return name in ENVIRON && ENVIRON[name] != "" ? "environment" : name in in_env ? ".env" : "" }

function is_secret(name) { return toupper(name) ~ /(PASSWORD|PASS|SECRET|TOKEN|COOKIE|HEADERS|KEY)$/ }

function masked(name, value) {
  if (value == "") return "(empty)"
  # See excuse_missing_settings.
  if (is_secret(name) && value == "unused") return "(missing)"
  if (is_secret(name)) return "*** (" length(value) " characters)"
  # A password in quotes may have semicolons.
  if (match(tolower(value), /(password|pwd) *=/)) value = substr(value, 1, RSTART - 1) "Password=***"
  # To the last @: a password with / ? or # in it makes no proper address, and is to be hidden all the same.
  gsub(/:\/\/[^ ]*@/, "://***@", value)
  # A query is often a token, and so is the path of a chat's web hook.
  if (toupper(name) ~ /WEBHOOK/ && match(value, /:\/\/[^\/?#]*[\/?#]/)) return substr(value, 1, RSTART + RLENGTH - 2) "/***"
  if (match(value, /:\/\/[^?#]*[?#]/)) return substr(value, 1, RSTART + RLENGTH - 2) "?***"
  return value
}

# A YAML scalar, as compose prints it.
function scalar(text,   first) {
  first = substr(text, 1, 1)
  if (first == "\"") {
    text = substr(text, 2, length(text) - 2)
    gsub(/\\"/, "\"", text)
    gsub(/\\\\/, "\\", text)
  } else if (first == "'") {
    text = substr(text, 2, length(text) - 2)
    gsub(/''/, "'", text)
  } else if (text ~ /^[|>]/) text = "(several lines)"
  gsub(/\$\$/, "$", text)
  return text
}

function is_known(name,   pattern) {
  if (name in defaults) return 1
  for (pattern in patterns) if (name ~ patterns[pattern]) return 1
  return 0
}

function flush_defaults(   i, file, names_of, count) {
  if (service == "" || all != "all") return
  for (file in lists) {
    if (file != service && !(file == "worker" && is_step[service])) continue
    count = split(lists[file], names_of, " ")
    for (i = 1; i <= count; i++) if (!((service, names_of[i]) in shown))
      printf "  %-36s %s\n", names_of[i], (defaults[names_of[i]] == "" ? "-" : defaults[names_of[i]]) "  (default)"
  }
}

FNR == 1 { file_number++ }

FILENAME ~ /all\.txt$/ {
  if (/^#/) next
  split($0, column, "\t")
  if (index(column[1], "*")) {
    pattern = column[1]
    gsub(/\*/, ".*", pattern)
    patterns[column[1]] = "^" pattern "$"
  } else defaults[column[1]] = column[2]
  next
}

FILENAME ~ /deploy\/settings\/.*\.env$/ {
  if (/^#/) next
  file = FILENAME
  sub(/^.*\//, "", file)
  sub(/\.env$/, "", file)
  lists[file] = lists[file] " " $0
  next
}

# From which variable each value is made.
FILENAME ~ /docker-compose\.yml$/ {
  # What stands in an anchor (x-…) is of all services that take it.
  if (/^x-/) block = "x-"
  if (/^  [a-z0-9-]+:$/) { block = $1; sub(/:.*/, "", block) }
  if (/<<: \*step/) is_step[block] = 1
  if ($1 !~ /^[A-Za-z][A-Za-z0-9_]*:$/) next
  key = substr($1, 1, length($1) - 1)
  text = $0
  while (match(text, /\$\{[A-Za-z_][A-Za-z0-9_]*/)) {
    variable = substr(text, RSTART + 2, RLENGTH - 2)
    text = substr(text, RSTART + RLENGTH)
    if (origin(variable) == "" || (block, key) in from) continue
    from[block, key] = origin(variable) (variable == key ? "" : " " variable)
  }
  next
}

/^[a-z]/ { section = $1 }
section != "services:" { next }
/^  [a-z0-9-]+:$/ { flush_defaults(); service = $1; sub(/:$/, "", service); inside = 0; titled = 0; next }
/^    [a-z_]+:/ { inside = /^    environment:/; next }
inside && /^      [^ ]/ {
  match($0, /: /)
  if (!RSTART) next
  key = substr($0, 7, RSTART - 7)
  gsub(/"/, "", key)
  # A name that is passed on, and that nobody has set.
  if (substr($0, RSTART + 2) == "null") next
  value = scalar(substr($0, RSTART + 2))
  # It gets all of .env, and uses what is a setting.
  if (service == "migrate" && key in in_env && !is_known(key)) next
  if (!titled++) print "\n" service
  shown[service, key] = 1
  source = (service, key) in from ? from[service, key] : ("x-", key) in from ? from["x-", key] : key in in_env ? ".env" : ""
  printf "  %-36s %s\n", key, masked(key, value) (source == "" || value == "unused" ? "" : "  (" source ")")
}
END { flush_defaults() }
