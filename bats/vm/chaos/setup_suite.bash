# All files of this directory share one VM.

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
