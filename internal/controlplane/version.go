package controlplane

import (
	"runtime/debug"

	"k8s.io/apimachinery/pkg/version"
	"k8s.io/component-base/compatibility"
)

// servedVersion reports the version of Kubernetes that the API comes from. The libraries
// only know the version that a release build of Kubernetes sets.
type servedVersion struct{ compatibility.EffectiveVersion }

// Info implements [compatibility.EffectiveVersion].
func (v servedVersion) Info() *version.Info {
	info := v.EffectiveVersion.Info()
	info.GitVersion = kubernetesVersion("v" + v.BinaryVersion().WithPatch(0).String())
	info.GitCommit, info.GitTreeState, info.BuildDate = "", "", ""
	return info
}

// kubernetesVersion returns the version of the module k8s.io/kubernetes, or fallback if
// the program has no module information.
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
