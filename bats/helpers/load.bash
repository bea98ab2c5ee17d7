# Everything a test file needs: `load helpers/load`.
bats_load_library bats-support
bats_load_library bats-assert
bats_load_library bats-file

bats_require_minimum_version 1.5.0

load helpers/wait
load helpers/instance
load helpers/engine
load helpers/kube
load helpers/mirror
load helpers/support

# Every file has one instance of its own, which setup_file begins; a test that
# fails keeps what is needed to understand it.
teardown() {
    if [[ -z ${BATS_TEST_COMPLETED:-} && -z ${BATS_TEST_SKIPPED:-} ]]; then
        support_bundle "$BATS_TEST_NAME"
    fi
}

teardown_file() {
    instance_end
}
