# All files of this directory share one VM, since a boot takes half a minute.

setup_suite() {
    vm_helpers
    vm_begin vm
}

teardown_suite() {
    vm_helpers
    vm_end
}

vm_helpers() {
    load ../helpers/load
    load ../helpers/vm
}
