#!/usr/bin/env bash
# Makes the present contract the baseline that `make verify` compares with. Done at a release, or when a break was decided.
# A baseline without its line in the CHANGELOG fails `make verify`.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/tools/build.sh
scripts/third-party-protos.sh
# --path: one image with our files; the third-party ones come along as imports and are not compared.
(cd proto && ../scripts/tools/bin/buf build --path tongzhen -o baseline.binpb)

sum=$(sha256sum proto/baseline.binpb | cut -c1-12)
grep -q "$sum" services/CHANGELOG.md || cat <<TXT
Add to services/CHANGELOG.md, under [Unreleased], what the contract gained or lost, with the baseline's sum:
- Contract baseline $sum: …
TXT
