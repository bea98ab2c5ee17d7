package controlplane

import (
	"runtime/debug"

	"k8s.io/apimachinery/pkg/version"
	"k8s.io/component-base/compatibility"
)

// servedVersion tells clients which Kubernetes the API comes from. The libraries
// know only what a Kubernetes release build has put into them.
type servedVersion struct{ compatibility.EffectiveVersion }

// Info implements [compatibility.EffectiveVersion].
func (v servedVersion) Info() *version.Info {
	info := v.EffectiveVersion.Info()
	info.GitVersion = kubernetesVersion("v" + v.BinaryVersion().WithPatch(0).String())
	info.GitCommit, info.GitTreeState, info.BuildDate = "", "", ""
	return info
}

// kubernetesVersion is the version of the module that the API server comes from,
// or fallback where the program does not know its modules.
func kubernetesVersion(fallback string) string {
	build, ok := debug.ReadBuildInfo()
	if !ok {
		return fallback
	}
	for _, module := range build.Deps {
		if module.Path == "k8s.io/kubernetes" {
			return module.Version
		}
	}
	return fallback
}
