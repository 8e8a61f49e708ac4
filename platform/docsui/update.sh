#!/bin/sh
# Regenerates assets/ from the official npm package. Usage: sh update.sh [version]
# Needs npm, tar and gzip. The output is reproducible (gzip -n keeps no time or name).
set -eu
version="${1:-5.35.0}"
here="$(cd "$(dirname "$0")" && pwd)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT
(cd "$work" && npm pack --silent "swagger-ui-dist@$version" >/dev/null && tar xzf "swagger-ui-dist-$version.tgz")
mkdir -p "$here/assets"
# The source map is not shipped, so the reference to it is removed.
sed -e 's|/\*# sourceMappingURL=[^*]*\*/||' "$work/package/swagger-ui.css" | gzip -9n >"$here/assets/swagger-ui.css.gz"
gzip -9n <"$work/package/swagger-ui-bundle.js" >"$here/assets/swagger-ui-bundle.js.gz"
gzip -9n <"$work/package/favicon-32x32.png" >"$here/assets/favicon-32x32.png.gz"
cp "$work/package/LICENSE" "$work/package/NOTICE" "$here/assets/"
cp "$work/package/swagger-ui-bundle.js.LICENSE.txt" "$here/assets/"
chmod 644 "$here"/assets/*
echo "$version" >"$here/assets/VERSION"
