# One VM for the files of this directory that need no other.

setup_suite() {
    load ../../helpers/load
    load ../../helpers/vm
    vm_begin chaos
}

teardown_suite() {
    load ../../helpers/load
    load ../../helpers/vm
    vm_end
}
