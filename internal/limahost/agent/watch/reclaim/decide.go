package reclaim

// reading is a reading of a guest's use of memory and disk.
type reading struct {
	// reportsMemory reports whether the guest reports free memory to the host.
	reportsMemory bool
	// cache is the memory of the page cache that can be dropped, and free is the free
	// space of the file system, in bytes.
	cache, free int64
}

// action is what the guest is requested to do.
type action string

const (
	// actionRead takes a reading, as the other actions also do when they are complete.
	actionRead action = "read"
	// actionTrim trims the file system.
	actionTrim action = "trim"
	// actionDrop drops the page cache.
	actionDrop action = "drop"
	actionNone action = ""
)

const (
	// maxBytes is more than any disk or memory has.
	maxBytes = 1 << 60

	// trimBytes of freed disk space are worth a trim.
	trimBytes = 64 << 20
	// settledBytes is the largest change between two readings of a disk on which nothing
	// big is being deleted. A trim skips blocks that were freed in the last seconds, which
	// the file system has not committed yet.
	settledBytes = 8 << 20
	// maxUnsettled is the number of readings for which a trim waits for a settled disk.
	maxUnsettled = 6

	// dropBytes of page cache, beyond what the last drop left, are worth a drop.
	dropBytes = 96 << 20
	// stableBytes is the largest change between two readings of a page cache that is not
	// filled. The guest's load says less: that of an emulated guest depends on the host.
	stableBytes = 8 << 20
	// minQuiet is the number of readings for which the page cache must be stable before the
	// first drop, and before a trim that is not due. Each drop adds as many, at most to
	// maxQuiet, so that a cache that is in use is dropped less and less often.
	minQuiet, maxQuiet = 3, 180
	// forget is the number of readings without a drop after which only minQuiet are
	// required again.
	forget = 360
)

// history has what earlier readings say on the next one. The zero value is that of a
// guest without readings.
type history struct {
	isStarted bool
	// hasTrimmed reports whether the file system was trimmed. Space that was freed before
	// the first reading is unknown.
	hasTrimmed bool
	// free is the free space of the last reading, and leastFree the least since the last
	// trim. unsettled is the number of readings for which a trim is due.
	free, leastFree int64
	unsettled       int
	// cache is the page cache of the last reading, and quiet the number of successive
	// readings for which it was stable. drops is the number of drops without a long pause,
	// and sinceDrop the number of readings since the last one.
	cache                   int64
	quiet, drops, sinceDrop int
	// hasDropped reports whether the last action was a drop, and cacheLeft is the cache
	// that cannot be dropped, or is not worth it.
	hasDropped bool
	cacheLeft  int64
}

// next returns the action that follows from a reading.
func (h *history) next(r reading) action {
	if !h.isStarted {
		h.isStarted, h.free, h.leastFree = true, r.free, r.free
	}
	h.noteCache(r)
	if h.isTrimDue(r) || !h.hasTrimmed && h.quiet >= minQuiet {
		h.hasTrimmed, h.leastFree, h.unsettled = true, r.free, 0
		return actionTrim
	}
	isQuiet := h.quiet >= min(minQuiet*(h.drops+1), maxQuiet)
	if r.reportsMemory && isQuiet && r.cache-h.cacheLeft >= dropBytes {
		h.hasDropped, h.quiet, h.sinceDrop = true, 0, 0
		h.drops++
		return actionDrop
	}
	return actionNone
}

// noteCache notes the page cache of a reading.
func (h *history) noteCache(r reading) {
	if h.hasDropped {
		h.hasDropped, h.cache, h.cacheLeft = false, r.cache, r.cache
	}
	if h.sinceDrop++; h.sinceDrop > forget {
		h.drops = 0
	}
	h.cacheLeft = min(h.cacheLeft, r.cache)
	h.quiet++
	if distance(r.cache, h.cache) > stableBytes {
		h.quiet = 0
	}
	h.cache = r.cache
}

// isTrimDue notes the free space of a reading, and reports whether a trim is worth it.
func (h *history) isTrimDue(r reading) bool {
	isSettled := distance(r.free, h.free) <= settledBytes
	h.free, h.leastFree = r.free, min(h.leastFree, r.free)
	if r.free-h.leastFree < trimBytes {
		h.unsettled = 0
		return false
	}
	h.unsettled++
	return isSettled || h.unsettled > maxUnsettled
}

func distance(a, b int64) int64 { return max(a-b, b-a) }
