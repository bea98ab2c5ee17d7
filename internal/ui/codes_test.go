package ui

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestCodeIsValidOnce(t *testing.T) {
	var c codes
	code := c.create()
	if len(code) < 43 {
		t.Errorf("%q has less than 256 bits", code)
	}
	for _, wrong := range []string{"", "x", code[1:], code + "x"} {
		if c.redeem(wrong) {
			t.Errorf("%q is valid", wrong)
		}
	}
	if !c.redeem(code) {
		t.Error("a new code is not valid")
	}
	if c.redeem(code) {
		t.Error("a code is valid twice")
	}
}

func TestCodeExpires(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c codes
		early, late := c.create(), c.create()
		time.Sleep(codeLifetime - 1)
		if !c.redeem(early) {
			t.Error("a code expired early")
		}
		time.Sleep(time.Nanosecond)
		if c.redeem(late) {
			t.Error("a code did not expire")
		}
	})
}

func TestRevokeEndsCodes(t *testing.T) {
	var c codes
	code := c.create()
	c.revoke()
	if c.redeem(code) {
		t.Error("a revoked code is valid")
	}
}

// A program that creates codes in a loop does not fill the memory.
func TestCodesAreLimited(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var c codes
		first := c.create()
		var last string
		for range 3 * maxCodes {
			time.Sleep(time.Nanosecond)
			last = c.create()
		}
		if len(c.ending) != maxCodes {
			t.Errorf("there are %d codes", len(c.ending))
		}
		if c.redeem(first) || !c.redeem(last) {
			t.Error("the newest codes are not the ones that are kept")
		}
	})
}
