# Sourced: the fonts that the invoice's tests draw with; the workers' image brings the same ones (Dockerfile).

invoice_fonts=(fonts-dejavu-core fonts-wqy-microhei)

ensure_fonts() {
  local directory=/usr/share/fonts
  if [ -n "$(find "$directory" -name DejaVuSans.ttf -print -quit 2>/dev/null)" ] && [ -n "$(find "$directory" -name wqy-microhei.ttc -print -quit 2>/dev/null)" ]; then
    note "there"
    return
  fi
  on_debian_as_root || fail "Expected the fonts DejaVu Sans and WenQuanYi Micro Hei in $directory, found not both." "Install them; on Debian and Ubuntu: apt-get install ${invoice_fonts[*]}"
  install_packages "${invoice_fonts[@]}"
  note "installed"
}
