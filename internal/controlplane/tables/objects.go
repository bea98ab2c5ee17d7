package tables

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	containersv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/containers/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/engine"
)

// mirrorTable is the table of a mirrored kind.
type mirrorTable struct {
	kind  containersv1.Kind
	table table
	// used returns what of this kind a container uses; nil if the table does not show it.
	used use
}

// mirrorTables returns the tables of the mirrored kinds.
func mirrorTables() []mirrorTable {
	return []mirrorTable{
		{containersv1.KindContainer, containerTable(), nil},
		{containersv1.KindImage, imageTable(), usedImage},
		{containersv1.KindVolume, volumeTable(), usedVolumes},
		{containersv1.KindNetwork, networkTable(), usedNetworks},
	}
}

// nameColumn returns the last column of every table.
func nameColumn() column {
	return column{name: "Name", description: "Name of the resource.", wide: true}
}

func ageColumn(what string) column {
	return column{name: "Age", description: fmt.Sprintf("Time since the %s was created.", what)}
}

// usedByColumn returns the column with the containers that use an object.
func usedByColumn(what string) column {
	return column{
		name: "Used by", cut: cutNames,
		description: fmt.Sprintf("Containers that use the %s, or why its deletion is not finished.", what),
	}
}

func fullUsedByColumn() column {
	return column{name: "Full used by", description: "All containers that use it.", wide: true}
}

func reasonColumn() column {
	return column{name: "Reason", description: "What the engine refuses and why.", wide: true}
}

// created returns the time at which a resource was created.
func created(m metav1.Object) *metav1.MicroTime {
	at := metav1.NewMicroTime(m.GetCreationTimestamp().Time)
	return &at
}

func usedImage(c *containersv1.Container) []string {
	if c.Status.ImageID == "" {
		return nil
	}
	return []string{c.Status.ImageID}
}

func usedVolumes(c *containersv1.Container) (names []string) {
	for _, mount := range c.Status.Mounts {
		if mount.Volume != "" {
			names = append(names, mount.Volume)
		}
	}
	return names
}

func usedNetworks(c *containersv1.Container) (names []string) {
	for _, network := range c.Status.Networks {
		names = append(names, network.Name)
	}
	return names
}

// usedBy returns the cell of the containers that use an object.
func usedBy(m containersv1.Mirror, what string, users []string) string {
	return cmp.Or(deletion(m, what, users), strings.Join(users, ", "))
}

func imageTable() table {
	const tag, users = 0, 3
	return table{
		columns: []column{
			{name: "Tag", description: "Tag of the image.", cut: cutImage},
			{name: "ID", description: "The first 12 digits of the image's ID."},
			{name: "Size", description: "Size of the image."},
			usedByColumn("image"), ageColumn("image"),
			{name: "Full tag", description: "Tag of the image, never cut.", wide: true},
			fullUsedByColumn(),
			{name: "Arch", description: "CPU architecture of the image.", wide: true},
			reasonColumn(), nameColumn(),
		},
		steps: []step{{tag, 32}, {users, 30}, {tag, 15}, {users, 16}, {tag, 10}},
		cells: func(obj runtime.Object, known facts) []string {
			i := obj.(*containersv1.Image)
			names := known.users.of(i, i.Status.Namespace, i.Status.ID)
			return []string{
				cmp.Or(i.Status.RepoTag, "<none>"), shortID(i.Status.ID), engine.HumanSize(i.Status.Size), usedBy(i, "image", names),
				age(cmp.Or(i.Status.CreatedAt, created(i)), known.now),
				i.Status.RepoTag, strings.Join(names, ", "), i.Status.Architecture, problem(i), i.Name,
			}
		},
	}
}

func volumeTable() table {
	const volume, driver, users = 0, 1, 2
	return table{
		columns: []column{
			{name: "Volume", description: "Name of the volume in the engine.", cut: cutMiddle},
			{name: "Driver", description: "Volume driver.", cut: cutMiddle},
			usedByColumn("volume"), ageColumn("volume"),
			{name: "Full volume", description: "Name of the volume, never cut.", wide: true},
			fullUsedByColumn(),
			{name: "Mountpoint", description: "Path of the volume on the engine's host.", wide: true},
			reasonColumn(), nameColumn(),
		},
		steps: []step{{volume, 40}, {users, 31}, {volume, 24}, {driver, 12}, {users, 16}},
		cells: func(obj runtime.Object, known facts) []string {
			v := obj.(*containersv1.Volume)
			names := known.users.of(v, v.Status.Namespace, v.Status.Name)
			return []string{
				v.Status.Name, v.Status.Driver, usedBy(v, "volume", names), age(cmp.Or(v.Status.CreatedAt, created(v)), known.now),
				v.Status.Name, strings.Join(names, ", "), v.Status.Mountpoint, problem(v), v.Name,
			}
		},
	}
}

func networkTable() table {
	const network, driver, subnet, users = 0, 2, 3, 4
	return table{
		columns: []column{
			{name: "Network", description: "Name of the network in the engine.", cut: cutMiddle},
			{name: "ID", description: "The first 12 digits of the network's ID."},
			{name: "Driver", description: "Network driver.", cut: cutMiddle},
			{name: "Subnet", description: "First subnet of the network.", cut: cutEnd},
			usedByColumn("network"), ageColumn("network"),
			{name: "Full network", description: "Name of the network, never cut.", wide: true},
			fullUsedByColumn(),
			{name: "Subnets", description: "All subnets of the network.", wide: true},
			{name: "Attached", description: "Number of running containers that are attached.", wide: true},
			reasonColumn(), nameColumn(),
		},
		steps: []step{{network, 24}, {users, 20}, {subnet, 18}, {network, 14}, {driver, 8}, {users, 12}, {subnet, 10}, {network, 10}},
		cells: func(obj runtime.Object, known facts) []string {
			n := obj.(*containersv1.Network)
			names := known.users.of(n, n.Status.Namespace, n.Status.Name)
			var subnets []string
			for _, config := range n.Status.IPAM.Configs {
				subnets = append(subnets, config.Subnet)
			}
			return []string{
				n.Status.Name, shortID(n.Status.ID), n.Status.Driver, firstOf(subnets), usedBy(n, "network", names),
				age(cmp.Or(n.Status.CreatedAt, created(n)), known.now),
				n.Status.Name, strings.Join(names, ", "), strings.Join(subnets, ", "), strconv.Itoa(int(n.Status.Containers)), problem(n), n.Name,
			}
		},
	}
}

func firstOf(texts []string) string {
	if len(texts) == 0 {
		return ""
	}
	return texts[0]
}
