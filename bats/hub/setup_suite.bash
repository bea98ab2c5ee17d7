# All files of this directory share a hub and two machines.

setup_suite() {
    hub_helpers
    suite_begin
}

teardown_suite() {
    hub_helpers
    instance_end
}

hub_helpers() {
    load ../helpers/load
    load ../helpers/hub
}
