package hub

import (
	"strconv"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	hubv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/hub/v1alpha1"
)

// leaseOf returns a Lease that was just renewed by a holder.
func leaseOf(identity string, duration time.Duration) *coordinationv1.Lease {
	now, seconds := metav1.NewMicroTime(time.Now()), int32(duration/time.Second)
	return &coordinationv1.Lease{Spec: coordinationv1.LeaseSpec{
		HolderIdentity: &identity, LeaseDurationSeconds: &seconds, RenewTime: &now, AcquireTime: &now,
	}}
}

// setLease stores a Lease. The caller holds the lock.
func (h *Hub) setLease(l *coordinationv1.Lease) {
	h.versions++
	l.Name, l.Namespace, l.UID = hubv1.LeaseName, Machine, types.UID("hub-lease")
	l.ResourceVersion = strconv.Itoa(h.versions)
	h.lease = l
}

// serveLease serves a request for the Lease.
func (h *Hub) serveLease(r request) (any, error) {
	var wants coordinationv1.Lease
	if err := r.decode(&wants); err != nil {
		return nil, err
	}
	resource := coordinationv1.Resource("leases")
	var answer *coordinationv1.Lease
	var err error
	h.with(func() {
		switch {
		case h.phase != active && r.verb == create:
			err = h.refusesCreates(resource)
		case h.lease == nil && r.verb != create:
			err = apierrors.NewNotFound(resource, hubv1.LeaseName)
		case h.lease != nil && r.verb == create:
			err = apierrors.NewAlreadyExists(resource, hubv1.LeaseName)
		case r.verb == update && wants.ResourceVersion != h.lease.ResourceVersion:
			err = conflict(resource, hubv1.LeaseName)
		case r.verb != get:
			h.setLease(&wants)
		}
		if err == nil {
			answer = h.lease.DeepCopy()
		}
	})
	if err != nil {
		return nil, err
	}
	if r.verb != get {
		h.observeLease(answer)
	}
	answer.Kind, answer.APIVersion = "Lease", coordinationv1.SchemeGroupVersion.String()
	return answer, nil
}

func (h *Hub) observeLease(l *coordinationv1.Lease) {
	if holder := l.Spec.HolderIdentity; holder != nil && *holder == Identity {
		h.witness.Renewed()
		return
	}
	h.witness.Released()
}
