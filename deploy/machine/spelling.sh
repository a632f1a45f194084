# Sourced: "did you mean".

# suggest WORD CANDIDATE...: ends a sentence that quotes an unknown word: "; did you mean 'email'?" when a candidate is near, else a full stop.
# Two letters that changed places count as one mistake.
suggest() {
  local word=$1
  shift
  printf '%s\n' "$@" | awk -v word="$word" '
    function min(a, b) { return a < b ? a : b }
    function distance(a, b,   i, j, d, cost) {
      for (i = 0; i <= length(a); i++) d[i, 0] = i
      for (j = 0; j <= length(b); j++) d[0, j] = j
      for (i = 1; i <= length(a); i++) for (j = 1; j <= length(b); j++) {
        cost = substr(a, i, 1) != substr(b, j, 1)
        d[i, j] = min(min(d[i - 1, j], d[i, j - 1]) + 1, d[i - 1, j - 1] + cost)
        if (i > 1 && j > 1 && substr(a, i, 1) == substr(b, j - 1, 1) && substr(a, i - 1, 1) == substr(b, j, 1))
          d[i, j] = min(d[i, j], d[i - 2, j - 2] + 1)
      }
      return d[length(a), length(b)]
    }
    $0 != "" { n = distance(tolower(word), tolower($0)); if (best == "" || n < least) { least = n; best = $0 } }
    END { if (best == "" || best == word || least > (length(word) > 4 ? length(word) / 3 : 1)) printf "."; else printf "; did you mean \047%s\047?", best }
  '
}
