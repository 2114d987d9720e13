#!/bin/sh
# What `make demo` shows: samples/demo.yaml once, and then one at a time against concurrently.
# Run it behind the samples' server: web_server -- samples/demo.sh build/gather
set -eu
gather=$1
job=$(dirname "$0")/demo.yaml

echo "\$ gather run $job"
"$gather" run "$job"
echo
echo "\$ gather compare $job --runs 1"
"$gather" compare "$job" --runs 1
