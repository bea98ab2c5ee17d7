package engineconfig

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
)

// Reserved returns the keys of Docker's daemon.json that a user cannot set in
// containerEngine.config, and the same for flags in containerEngine.extraArgs, each
// with the reason. The API server refuses them too.
func Reserved() map[string]string {
	reserved := map[string]string{}
	const own = "rdd sets it itself"
	for _, name := range []string{
		"bip", "bridge", "config-file", "containerd", "containerd-namespace", "containerd-plugins-namespace",
		"data-root", "exec-root", "graph", "group", "host", "hosts", "live-restore", "pidfile", "rootless",
		// of containerd
		"address", "config", "root", "state",
	} {
		reserved[name] = own
	}
	for _, name := range []string{"help", "validate", "version"} {
		reserved[name] = "the engine would end at once"
	}
	for _, name := range []string{"default-address-pool", "default-address-pools"} {
		reserved[name] = "rdd sets it itself: use containerEngine.subnet"
	}
	for name, property := range map[string]string{
		"registry-mirror": "registryMirrors", "registry-mirrors": "registryMirrors",
		"insecure-registry": "insecureRegistries", "insecure-registries": "insecureRegistries",
		"http-proxy": "proxy.http", "https-proxy": "proxy.https", "no-proxy": "proxy.no", "proxies": "proxy",
		"dns": "dns",
	} {
		reserved[name] = "use containerEngine." + property
	}
	return reserved
}

// Check returns an error if rdd cannot apply the settings to an engine.
func (s Settings) Check(engine appv1.EngineName) error {
	reserved := Reserved()
	var errs []error
	for _, arg := range s.ExtraArgs {
		name, isLong := strings.CutPrefix(arg, "--")
		name, _, _ = strings.Cut(name, "=")
		switch {
		case !isLong || len(name) < 2:
			// containerd takes --a for -a, which is --address.
			errs = append(errs, fmt.Errorf("containerEngine.extraArgs has %q: write each argument as --NAME or --NAME=VALUE", arg))
		case reserved[name] != "":
			errs = append(errs, fmt.Errorf("containerEngine.extraArgs must not have --%s: %s", name, reserved[name]))
		case engine != appv1.EngineContainerd && s.Config[Key(name)] != nil:
			errs = append(errs, fmt.Errorf("containerEngine.extraArgs has --%s and containerEngine.config has %q, which is the same setting: remove one", name, Key(name)))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s.Config)) {
		if reason := reserved[name]; reason != "" {
			errs = append(errs, fmt.Errorf("containerEngine.config must not have %q: %s", name, reason))
		}
		inner, isObject := s.Config[name].(map[string]any)
		if !isObject || isFlat(name) {
			continue
		}
		for _, key := range slices.Sorted(maps.Keys(inner)) {
			if reason := reserved[key]; reason != "" {
				errs = append(errs, fmt.Errorf("containerEngine.config must not have %q in %q: %s", key, name, reason))
			}
		}
	}
	if engine == appv1.EngineContainerd {
		errs = append(errs, s.checkContainerd())
	}
	return errors.Join(errs...)
}

// checkContainerd returns an error for settings of Docker. The clients of containerd pull
// images and connect containers, and have settings of their own.
func (s Settings) checkContainerd() error {
	var names []string
	for name, isSet := range map[string]bool{
		"registryMirrors": len(s.RegistryMirrors) > 0, "insecureRegistries": len(s.InsecureRegistries) > 0,
		"dns": len(s.DNS) > 0, "config": len(s.Config) > 0,
	} {
		if isSet {
			names = append(names, "containerEngine."+name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	slices.Sort(names)
	return fmt.Errorf("%s: only for containerEngine.name=moby, because containerd has no such setting: remove with 'rdd set %s='",
		strings.Join(names, ", "), strings.Join(names, "= "))
}

// PropertyOf returns the property with which the settings set what an argument of the
// engine sets, or "" if they do not set it. Docker refuses what is set twice.
func (s Settings) PropertyOf(arg string) string {
	flag, _, _ := strings.Cut(strings.TrimLeft(arg, "-"), "=")
	for _, own := range s.ExtraArgs {
		if name, _, _ := strings.Cut(own, "="); name == "--"+flag {
			return "containerEngine.extraArgs"
		}
	}
	switch {
	case s.Config[Key(flag)] != nil:
		return "containerEngine.config"
	case flag == "registry-mirror" && len(s.RegistryMirrors) > 0:
		return "containerEngine.registryMirrors"
	case flag == "insecure-registry" && len(s.InsecureRegistries) > 0:
		return "containerEngine.insecureRegistries"
	case flag == "dns" && len(s.DNS) > 0:
		return "containerEngine.dns"
	}
	return ""
}

// Key returns the key of Docker's daemon.json for a flag.
func Key(flag string) string {
	switch flag {
	case "add-runtime":
		return "runtimes"
	case "authorization-plugin", "cdi-spec-dir", "default-ulimit", "dns-opt", "exec-opt", "label", "log-opt",
		"node-generic-resource", "storage-opt":
		return flag + "s"
	}
	return flag
}

// isFlat reports whether the keys of an object in Docker's daemon.json have names of
// their own. dockerd takes the keys of other objects for keys of daemon.json (flatOptions
// in daemon/config).
func isFlat(key string) bool {
	switch key {
	case "builder", "cluster-store-opts", "default-network-opts", "default-ulimits", "extension-config", "features",
		"log-opts", "nri-opts", "runtimes":
		return true
	}
	return false
}
