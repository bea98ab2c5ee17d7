package lima

import (
	"time"

	"github.com/rancher-sandbox/rancher-desktop-daemon/internal/limahost"
)

// limits of what the driver waits for. They are fields and not constants so that
// tests need not wait as long as users must.
type limits struct {
	// lock bounds the time from the start of the agent's program to its lock.
	lock time.Duration
	// answer bounds the wait for an agent that was found to answer.
	answer time.Duration
	// silence bounds the wait for an agent to answer that has answered before. It
	// must be longer than the agent holds back an answer.
	silence time.Duration
	// adopt bounds the wait for the engine of a VM that was up before this start.
	adopt time.Duration
	// lastWords bounds the wait for an agent whose machine is gone to say so.
	lastWords time.Duration

	// Of a stop, which together stay below 40 seconds:

	// agentStop is for the agent, which gives the guest 20 seconds to power down
	// before it uses force.
	agentStop time.Duration
	// stop is for all of it, but for what is ended by force last, which takes
	// qemu.ForceTimeout.
	stop time.Duration
	// machineStop is the most that a guest without an agent gets to power down.
	machineStop time.Duration
	// killed bounds the wait for a killed process to go.
	killed time.Duration
}

func defaultLimits() limits {
	return limits{
		lock: 15 * time.Second, answer: 10 * time.Second, silence: limahost.LongPoll + 10*time.Second,
		adopt: 5 * time.Second, lastWords: 10 * time.Second,
		agentStop: 27 * time.Second, stop: 34 * time.Second, machineStop: 20 * time.Second, killed: 2 * time.Second,
	}
}

// What a VM may take to come up, from the start of the machine to an engine that
// answers. A guest that has the engine inside takes half a minute with no
// hardware acceleration on a slow machine; a public image installs the engine at
// its first boot, over the network.
const (
	builtBoot = 5 * time.Minute
	cloudBoot = 15 * time.Minute
	// builtImage and cloudImage are for finding and fetching the image and making
	// the disk, before the machine is started.
	builtImage = time.Minute
	cloudImage = 15 * time.Minute
)

const (
	// statusDeadline bounds one question to the agent, which answers from memory.
	statusDeadline = 2 * time.Second
	// askDeadline bounds one question to an engine.
	askDeadline = 5 * time.Second
	// askAgain is the pause after an agent, or an engine, did not answer.
	askAgain = 50 * time.Millisecond
	// lookAgain is the pause before what changes within microseconds is looked at
	// again.
	lookAgain = 5 * time.Millisecond
)
