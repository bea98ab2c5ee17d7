package docker

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/types"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// hostName is the name of the engine's host in containers of requests.
const hostName = "host.docker.internal"

// containerOptions maps the container of a request.
func containerOptions(spec containersv1.ContainerCreateRequestSpec, request types.UID) (client.ContainerCreateOptions, error) {
	exposed, bindings, err := mapRequestedPorts(spec.Ports)
	if err != nil {
		return client.ContainerCreateOptions{}, err
	}
	config := &container.Config{
		Image: spec.Image, Entrypoint: spec.Command, Cmd: spec.Args, Env: environment(spec.Env),
		WorkingDir: spec.WorkingDir, User: spec.User, Hostname: spec.Hostname,
		Labels: engine.RequestLabels(spec.Labels, request), ExposedPorts: exposed,
		Tty: spec.TTY, OpenStdin: spec.Stdin, StopSignal: spec.StopSignal,
		Healthcheck: healthConfig(spec.HealthCheck),
	}
	if spec.StopTimeout != nil {
		seconds := int(*spec.StopTimeout)
		config.StopTimeout = &seconds
	}
	host := &container.HostConfig{
		NetworkMode: "default", PortBindings: bindings, RestartPolicy: restartPolicy(spec),
		AutoRemove: spec.AutoRemove, Privileged: spec.Privileged, Mounts: requestedMounts(spec.Mounts),
	}
	if len(spec.Networks) > 0 {
		host.NetworkMode = container.NetworkMode(spec.Networks[0])
	}
	if mode := host.NetworkMode; !mode.IsHost() && !mode.IsNone() && !mode.IsContainer() {
		host.ExtraHosts = []string{hostName + ":host-gateway"}
	}
	if c := spec.Capabilities; c != nil {
		host.CapAdd, host.CapDrop = capabilities(c.Add), capabilities(c.Drop)
	}
	if spec.CPUs != nil {
		host.NanoCPUs = spec.CPUs.ScaledValue(resource.Nano)
	}
	if spec.Memory != nil {
		host.Memory = spec.Memory.Value()
	}
	return client.ContainerCreateOptions{Name: spec.Name, Config: config, HostConfig: host}, nil
}

func mapRequestedPorts(ports []containersv1.RequestedPort) (network.PortSet, network.PortMap, error) {
	exposed, bindings := network.PortSet{}, network.PortMap{}
	for _, p := range ports {
		text := fmt.Sprintf("%d/%s", p.ContainerPort, strings.ToLower(p.Protocol))
		port, err := network.ParsePort(text)
		if err != nil {
			return nil, nil, notAccepted("port "+text, err)
		}
		exposed[port] = struct{}{}
		if p.HostPort == nil {
			continue
		}
		binding := network.PortBinding{}
		if *p.HostPort != 0 {
			binding.HostPort = strconv.Itoa(int(*p.HostPort))
		}
		if p.HostIP != "" {
			if binding.HostIP, err = netip.ParseAddr(p.HostIP); err != nil {
				return nil, nil, notAccepted("hostIP "+p.HostIP, err)
			}
		}
		bindings[port] = append(bindings[port], binding)
	}
	return exposed, bindings, nil
}

func environment(variables []containersv1.EnvVar) []string {
	var env []string
	for _, v := range variables {
		env = append(env, v.Name+"="+v.Value)
	}
	return env
}

func healthConfig(h *containersv1.RequestedHealthCheck) *container.HealthConfig {
	switch {
	case h == nil:
		return nil
	case h.Disabled:
		return &container.HealthConfig{Test: []string{"NONE"}}
	}
	seconds := func(n *int32) time.Duration {
		if n == nil {
			return 0
		}
		return time.Duration(*n) * time.Second
	}
	config := &container.HealthConfig{
		Test:     append([]string{"CMD"}, h.Command...),
		Interval: seconds(h.PeriodSeconds), Timeout: seconds(h.TimeoutSeconds), StartPeriod: seconds(h.StartPeriodSeconds),
	}
	if h.FailureThreshold != nil {
		config.Retries = int(*h.FailureThreshold)
	}
	return config
}

func restartPolicy(spec containersv1.ContainerCreateRequestSpec) container.RestartPolicy {
	switch spec.RestartPolicy {
	case containersv1.RestartAlways:
		return container.RestartPolicy{Name: container.RestartPolicyAlways}
	case containersv1.RestartUnlessStopped:
		return container.RestartPolicy{Name: container.RestartPolicyUnlessStopped}
	case containersv1.RestartOnFailure:
		policy := container.RestartPolicy{Name: container.RestartPolicyOnFailure}
		if spec.MaxRetries != nil {
			policy.MaximumRetryCount = int(*spec.MaxRetries)
		}
		return policy
	case containersv1.RestartNever:
	}
	return container.RestartPolicy{Name: container.RestartPolicyDisabled}
}

func requestedMounts(mounts []containersv1.RequestedMount) []mount.Mount {
	var out []mount.Mount
	for _, m := range mounts {
		wire := mount.Mount{Type: mount.Type(m.Type), Source: m.Source, Target: m.MountPath, ReadOnly: m.ReadOnly}
		if m.SizeLimit != nil {
			wire.TmpfsOptions = &mount.TmpfsOptions{SizeBytes: m.SizeLimit.Value()}
		}
		out = append(out, wire)
	}
	return out
}

func capabilities(names []containersv1.Capability) []string {
	var out []string
	for _, name := range names {
		out = append(out, string(name))
	}
	return out
}

// networkOptions maps the network of a request.
func networkOptions(spec containersv1.NetworkCreateRequestSpec, request types.UID) (client.NetworkCreateOptions, error) {
	options := client.NetworkCreateOptions{
		Driver: spec.Driver, Internal: spec.Internal, Attachable: spec.Attachable,
		Options: spec.Options, Labels: engine.RequestLabels(spec.Labels, request),
	}
	if spec.IPv6 {
		options.EnableIPv6 = &spec.IPv6
	}
	if len(spec.Subnets) == 0 {
		return options, nil
	}
	options.IPAM = &network.IPAM{Driver: "default"}
	for _, s := range spec.Subnets {
		config, err := ipamConfig(s)
		if err != nil {
			return options, err
		}
		options.IPAM.Config = append(options.IPAM.Config, config)
	}
	return options, nil
}

func ipamConfig(s containersv1.RequestedSubnet) (config network.IPAMConfig, err error) {
	if config.Subnet, err = netip.ParsePrefix(s.Subnet); err != nil {
		return config, notAccepted("subnet "+s.Subnet, err)
	}
	if s.IPRange != "" {
		if config.IPRange, err = netip.ParsePrefix(s.IPRange); err != nil {
			return config, notAccepted("ipRange "+s.IPRange, err)
		}
	}
	if s.Gateway != "" {
		if config.Gateway, err = netip.ParseAddr(s.Gateway); err != nil {
			return config, notAccepted("gateway "+s.Gateway, err)
		}
	}
	return config, nil
}

// notAccepted returns the error of a parameter that cannot be sent to the engine.
func notAccepted(what string, err error) error {
	return &engineError{words: fmt.Sprintf("%s: %v", what, err), cause: errdefs.ErrInvalidArgument}
}
