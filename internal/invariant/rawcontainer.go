package invariant

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
)

func (o rawObject) container() Object {
	f := fields{}
	f.copied(o, map[string][]string{
		"status": {"State", "Status"}, "image": {"Config", "Image"}, "imageID": {"Image"}, "path": {"Path"},
		"pid": {"State", "Pid"}, "exitCode": {"State", "ExitCode"}, "error": {"State", "Error"},
		"hostname": {"Config", "Hostname"}, "user": {"Config", "User"}, "workingDir": {"Config", "WorkingDir"},
		"restartCount": {"RestartCount"},
	})
	name := strings.TrimPrefix(o.text("Name"), "/")
	f.set("name", name)
	f.list("args", o.list("Args"))
	f.texts("labels", o.object("Config", "Labels"))
	f.set("createdAt", o.time("Created"))
	f.set("startedAt", o.time("State", "StartedAt"))
	f.set("finishedAt", o.time("State", "FinishedAt"))
	f.set("exitReason", o.exitReason())
	f.quoted("restartPolicy[name]", cmp.Or(o.text("HostConfig", "RestartPolicy", "Name"), "no"))
	f.set("restartPolicy[maximumRetryCount]", o.text("HostConfig", "RestartPolicy", "MaximumRetryCount"))
	for _, flag := range []string{"Running", "Paused", "Restarting", "OOMKilled", "Dead"} {
		f.set("conditions["+flag+"]", conditionStatus(o.text("State", flag) == "true"))
	}
	volatile := f.rawHealth(o)
	f.rawMounts(o)
	f.rawNetworks(o)
	f.rawPorts(o)
	return Object{identity: identity{containersv1.KindContainer, o.text("Id"), ""}, label: name, fields: f, volatile: volatile}
}

func conditionStatus(isTrue bool) string {
	if isTrue {
		return "True"
	}
	return "False"
}

func (f fields) rawPorts(o rawObject) {
	for _, exposed := range []map[string]any{o.object("Config", "ExposedPorts"), o.object("HostConfig", "PortBindings")} {
		for port := range exposed {
			f.port("ports["+port+"]", nil)
		}
	}
	for port, bindings := range o.object("NetworkSettings", "Ports") {
		f.port("ports["+port+"]", rawBindings(bindings))
	}
}

func rawBindings(value any) []string {
	list, _ := value.([]any)
	var texts []string
	for _, element := range list {
		binding, _ := element.(map[string]any)
		texts = append(texts, bindingText(textOf(binding["HostIp"]), nonzero(textOf(binding["HostPort"]))))
	}
	return texts
}

// exitReason describes the end of the last run in the words of the API's documentation.
func (o rawObject) exitReason() string {
	switch o.text("State", "Status") {
	case "running", "paused", "pausing":
		return ""
	}
	code, _ := strconv.Atoi(o.text("State", "ExitCode")) // an absent code is 0
	text := fmt.Sprintf("exited with code %d", code)
	switch {
	case o.text("State", "Error") != "":
		return "failed to start"
	case o.time("State", "FinishedAt") == "":
		return ""
	case o.text("State", "OOMKilled") == "true":
		return "killed because it was out of memory"
	case code == 0:
		return "completed"
	case code == 126:
		return text + " (command cannot be executed)"
	case code == 127:
		return text + " (command not found)"
	case code < 129 || code > 192:
		return text
	}
	signals := []string{
		"", "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM",
		24: "XCPU", 25: "XFSZ", 31: "SYS", 64: "",
	}
	text = fmt.Sprintf("ended by signal %d", code-128)
	if name := signals[code-128]; name != "" {
		text += " (SIG" + name + ")"
	}
	return text
}

// healthOutput is the field of the last probe's output.
const healthOutput = "health[output]"

// rawHealth adds the health, and returns the volatile fields: the output, unless all
// recent probes have failed in the same way. The failing streak ends at the number of
// probes that makes the container unhealthy.
func (f fields) rawHealth(o rawObject) (volatile map[string]bool) {
	if o.object("State", "Health") == nil {
		f.element("health[status]", "none")
		return nil
	}
	status := o.text("State", "Health", "Status")
	f.element("health[status]", status)
	condition := map[string]string{"healthy": "True", "unhealthy": "False", "starting": "Unknown"}[status]
	f.set("conditions[Healthy]", condition)
	streak, _ := strconv.Atoi(o.text("State", "Health", "FailingStreak"))
	retries, _ := strconv.Atoi(o.text("Config", "Healthcheck", "Retries"))
	if retries == 0 {
		retries = 3
	}
	f.set("health[failingStreak]", nonzero(strconv.Itoa(min(streak, retries))))
	outputs := o.probeOutputs()
	if len(outputs) > 0 {
		f.quoted(healthOutput, outputs[len(outputs)-1])
	}
	if status == "unhealthy" && len(slices.Compact(outputs)) == 1 {
		return nil
	}
	return map[string]bool{healthOutput: true}
}

// probeOutputs returns the outputs of the recent probes, each cut at 1 KiB.
func (o rawObject) probeOutputs() (outputs []string) {
	log, _ := o.at("State", "Health", "Log").([]any)
	for _, element := range log {
		probe, _ := element.(map[string]any)
		output := rawObject(probe).text("Output")
		end := min(len(output), 1024)
		for !utf8.ValidString(output[:end]) {
			end--
		}
		outputs = append(outputs, output[:end])
	}
	return outputs
}

func (f fields) rawMounts(o rawObject) {
	var mounts []fields
	list, _ := o.at("Mounts").([]any)
	for _, element := range list {
		m, _ := element.(map[string]any)
		raw, mount := rawObject(m), fields{}
		mount.element("[type]", raw.text("Type"))
		mount.element("[destination]", raw.text("Destination"))
		switch raw.text("Type") {
		case "bind":
			mount.quoted("[source]", raw.text("Source"))
		case "volume":
			mount.quoted("[volume]", raw.text("Name"))
		}
		if raw.text("RW") != "true" {
			mount.set("[readOnly]", "true")
		}
		mounts = append(mounts, mount)
	}
	for destination := range o.object("HostConfig", "Tmpfs") {
		mounts = append(mounts, fields{"[type]": strconv.Quote("tmpfs"), "[destination]": strconv.Quote(valid(destination))})
	}
	slices.SortFunc(mounts, func(a, b fields) int { return cmp.Compare(a["[destination]"], b["[destination]"]) })
	for i, mount := range mounts {
		for path, value := range mount {
			f[fmt.Sprintf("mounts[%d]%s", i, path)] = value
		}
	}
}

func (f fields) rawNetworks(o rawObject) {
	networks := o.object("NetworkSettings", "Networks")
	for i, name := range slices.Sorted(maps.Keys(networks)) {
		endpoint, _ := networks[name].(map[string]any)
		path := fmt.Sprintf("networks[%d]", i)
		f.element(path+"[name]", valid(name))
		f.quoted(path+"[macAddress]", rawObject(endpoint).text("MacAddress"))
		count := 0
		for _, key := range []string{"IPAddress", "GlobalIPv6Address"} {
			if address := rawObject(endpoint).text(key); isAddress(address) {
				f.element(fmt.Sprintf("%s[addresses][%d]", path, count), address)
				count++
			}
		}
	}
}

// isAddress reports whether text is an IP address. Engines have written other text in
// its place.
func isAddress(text string) bool {
	_, err := netip.ParseAddr(text)
	return err == nil
}
