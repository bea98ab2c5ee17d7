# Loads all helpers of a test file: `load helpers/load`.
bats_load_library bats-support
bats_load_library bats-assert
bats_load_library bats-file

bats_require_minimum_version 1.5.0

for helper in wait instance engine kube mirror support terminal; do
    # shellcheck source=/dev/null
    source "$(dirname "${BASH_SOURCE[0]}")/$helper.bash"
done
unset helper

# Every file has its own instance, which setup_file begins. A failed test saves a
# support bundle.
teardown() {
    if [[ -z ${BATS_TEST_COMPLETED:-} && -z ${BATS_TEST_SKIPPED:-} ]]; then
        support_bundle "$BATS_TEST_NAME"
    fi
}

teardown_file() {
    instance_end
}
