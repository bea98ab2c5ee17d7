package vm

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	appv1 "github.com/rancher-sandbox/rancher-desktop-daemon/api/app/v1alpha1"
	"github.com/rancher-sandbox/rancher-desktop-daemon/messages"
)

func TestChoose(t *testing.T) {
	gone := errors.New("gone")
	tests := []struct {
		name                 string
		spec                 messages.VMSpec
		kept                 appv1.DriverName
		noNative, noExternal error
		want                 appv1.DriverName
		reason, failure      string
	}{
		{name: "auto takes the first", spec: auto, want: appv1.DriverNative, reason: "auto picked native: it is a fake"},
		{name: "auto takes the next", spec: auto, noNative: gone, want: appv1.DriverExternal, reason: "auto picked external"},
		{name: "auto stops at settings that the first refuses", spec: auto, noNative: Permanent(gone), failure: "native: gone"},
		{name: "auto finds none", spec: auto, noNative: gone, noExternal: gone, failure: "external: gone"},
		{name: "auto keeps a running engine that it could not start", spec: auto, kept: appv1.DriverNative, noNative: gone, want: appv1.DriverNative, reason: "kept native"},
		{name: "named driver", spec: remote, want: appv1.DriverExternal, reason: "it is a fake"},
		{name: "named driver is unavailable", spec: native, noNative: gone, failure: "driver native: gone"},
		{name: "named driver with running engine is kept", spec: native, kept: appv1.DriverNative, noNative: gone, want: appv1.DriverNative, reason: "kept"},
		{name: "named driver while another runs", spec: remote, kept: appv1.DriverNative, want: appv1.DriverExternal, reason: "it is a fake"},
		{name: "unknown driver", spec: messages.VMSpec{Driver: "odd"}, failure: "no driver \"odd\""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			n, e := newFake(appv1.DriverNative), newFake(appv1.DriverExternal)
			n.missing, e.missing = test.noNative, test.noExternal
			got, err := choose(t.Context(), []Driver{n, e}, test.spec, test.kept, "")
			if test.failure != "" {
				if err == nil || !strings.Contains(err.Error(), test.failure) {
					t.Errorf("error = %v, want %q", err, test.failure)
				}
				return
			}
			if err != nil || got.driver.Name() != test.want || !strings.Contains(got.reason, test.reason) {
				t.Errorf("choose = %+v, %v", got, err)
			}
		})
	}
}

func TestStopAndDeleteTryEveryDriver(t *testing.T) {
	a, b, c := newFake(appv1.DriverNative), newFake("other"), newFake(appv1.DriverExternal)
	for _, f := range []*fakeDriver{a, b, c} {
		f.stopTime = 0
	}
	a.stopErr, b.stopErr = errors.New("one"), errors.New("two")
	for _, err := range []error{Stop(t.Context(), []Driver{a, b, c}, func(string) {}, func(appv1.DriverName, string) {}), Delete(t.Context(), []Driver{a, b, c})} {
		if err == nil || !strings.Contains(err.Error(), "one") || !strings.Contains(err.Error(), "two") {
			t.Errorf("error = %v, want both", err)
		}
	}
	if calls := c.history(); len(calls) != 0 {
		t.Errorf("calls of the driver that is not managed: %q", calls)
	}
}

// A driver whose check times out can still be available.
func TestAutoDoesNotSkipDriverAfterTimeout(t *testing.T) {
	for _, late := range []error{context.DeadlineExceeded, context.Canceled} {
		n, l := newFake(appv1.DriverNative), newFake(appv1.DriverLima)
		n.missing = fmt.Errorf("dockerd --version: %w", late)
		got, err := choose(t.Context(), []Driver{n, l}, auto, "", "")
		if err == nil || !errors.Is(err, late) || isRefusal(err) {
			t.Errorf("choose = %+v, %v", got, err)
		}
	}
}

func TestAutoUsesDriverOfLastUsedData(t *testing.T) {
	n, l, e := newFake(appv1.DriverNative), newFake(appv1.DriverLima), newFake(appv1.DriverExternal)
	drivers := []Driver{n, l, e}
	n.used, l.used = time.Unix(1, 0), time.Unix(2, 0)
	got, err := choose(t.Context(), drivers, auto, "", "")
	if err != nil || got.driver != l || !strings.Contains(got.reason, "auto keeps lima") {
		t.Errorf("choose = %+v, %v", got, err)
	}
	l.missing = errors.New("there is no QEMU")
	if got, err = choose(t.Context(), drivers, auto, "", ""); !isRefusal(err) ||
		!strings.Contains(err.Error(), "there is no QEMU") || !strings.Contains(err.Error(), "rdd set vm.driver=native") {
		t.Errorf("choose = %+v, %v", got, err)
	}
	if got, err = choose(t.Context(), drivers, native, "", appv1.DriverLima); err != nil || got.driver != n {
		t.Errorf("named: choose = %+v, %v", got, err)
	}
}
