# Sourced: what the invoice's tests draw with, which the workers' image brings too (Dockerfile), and what they look at documents with.

invoice_packages=(fonts-noto-core fonts-noto-cjk fonts-noto-color-emoji libfribidi0 poppler-utils)

ensure_fonts() {
  if has_fonts; then note "there"; return; fi
  on_debian_as_root || fail "Expected Noto fonts in /usr/share/fonts, the library FriBidi, pdftotext and pdftoppm, found not all of them." \
    "Install them; on Debian and Ubuntu: apt-get install ${invoice_packages[*]}"
  install_packages "${invoice_packages[@]}"
  note "installed"
}

has_fonts() {
  local font
  for font in NotoSans-Regular.ttf NotoSansCJK-Regular.ttc NotoColorEmoji.ttf; do
    [ -n "$(find /usr/share/fonts -name "$font" -print -quit 2>/dev/null)" ] || return 1
  done
  command -v pdftotext >/dev/null && command -v pdftoppm >/dev/null && [ -n "$(find /usr/lib /lib -name 'libfribidi.so.0' -print -quit 2>/dev/null)" ]
}
