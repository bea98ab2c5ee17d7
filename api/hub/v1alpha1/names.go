package v1alpha1

import "time"

const (
	// MachineLabel marks the namespace of a machine. Its value is the name of the machine,
	// which is also the name of the namespace.
	MachineLabel = "hub.rancherdesktop.io/machine"
	// UserAnnotation is the annotation of the namespace of a machine with the user who
	// may write its mirrors. It equals spec.user of the Machine. Admission policies read
	// the annotation, because they cannot read another resource.
	UserAnnotation = "hub.rancherdesktop.io/user"
	// EmptiedAnnotation on the namespace of a machine, or on a definition of a resource,
	// means that an administrator removes the mirrors in it. Their deletion is then no
	// request to remove objects of an engine. The value is the time, or any other text.
	EmptiedAnnotation = "hub.rancherdesktop.io/emptied"
	// VersionAnnotation is the annotation of the objects of 'rdd hub install' with the version
	// of rdd that wrote them. An older one does not overwrite them.
	VersionAnnotation = "hub.rancherdesktop.io/version"
)

const (
	// LeaseName is the name of the Lease that a machine holds in its namespace.
	LeaseName = "rdd"
	// ServiceAccountName is the name of the ServiceAccount of a machine, in its namespace.
	ServiceAccountName = "rdd"
	// QuotaName is the name of the ResourceQuota of the namespace of a machine.
	QuotaName = "rdd"
)

// The defaults of spec.staleAfter and spec.removeAfter of a Machine.
const (
	DefaultStaleAfter  = time.Minute
	DefaultRemoveAfter = 24 * time.Hour
)

// ServiceAccountUser returns the user name of the ServiceAccount of a machine.
func ServiceAccountUser(machine string) string {
	return "system:serviceaccount:" + machine + ":" + ServiceAccountName
}
