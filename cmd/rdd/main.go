// Command rdd runs and controls a per-user daemon that mirrors a container engine
// into Kubernetes resources.
//
// Reading map: main.go calls cli.go, which declares the commands. exit.go lists
// the exit codes, advice.go adds the instance to commands in
// messages, complete.go completes command lines in shells, hints.go knows the commands
// of other programs, output.go prints results, and session.go has what every command
// needs. The commands: set.go, set_help.go, startstop.go, status.go with
// status_rows.go and status_line.go, logs.go, exec.go (also attach), top.go, shell.go, vm.go,
// ctl.go with ctl_names.go, ctl_unusable.go and ctl_version.go (kubectl), tree.go, doctor.go,
// support.go, version.go, hostagent.go, virtiofsd.go, transfer.go (pull and push) and prune.go, which use
// request.go, ui.go with ui_reports.go (the page), run.go, env.go, context.go and kubeconfig.go, which connect other programs, and
// for 'rdd svc' svc.go, svc_delete.go (also reset), svc_install.go, svc_list.go, svc_paths.go,
// svc_serve.go, svc_status.go, svc_stop.go and svc_token.go, for hubs join.go (also leave),
// hub.go, hub_machines.go, hub_server.go and hub_run.go. Commands that destroy data ask as in confirm.go. After a start, offercontext.go creates the docker context, and clientfiles.go
// records where the instance was added.
//
// The packages below do the work: lifecycle starts and stops the daemon, client
// talks to it, property parses and lists properties, terminal fits text into
// columns, progress shows waits,
// treeview draws the tree, statstable the table of top, completion completes command
// lines, vmstatus inspects the VM, inventory finds what an instance has, doctor checks an
// instance, dockercontext and kubemerge change the user's configurations of docker and
// kubectl with userfile, untranslated keeps kubectl's translations out, fallbackuser sets USER
// and HOME where there is no user, and bundle collects what a bug report needs.
package main

import (
	"os"

	_ "github.com/rancher-sandbox/rancher-desktop-daemon/cmd/rdd/fallbackuser"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
