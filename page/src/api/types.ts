// The resources of rdd's API, as far as the page uses them. docs/api.md describes them.

export interface Meta {
  name: string
  namespace?: string
  uid: string
  resourceVersion: string
  generation?: number
  creationTimestamp?: string
  deletionTimestamp?: string
  labels?: Record<string, string>
  annotations?: Record<string, string>
  managedFields?: unknown
}

export interface Condition {
  type: string
  status: 'True' | 'False' | 'Unknown'
  reason: string
  message: string
  observedGeneration?: number
  lastTransitionTime?: string
}

export interface Obj {
  apiVersion?: string
  kind?: string
  metadata: Meta
}

export interface Conditioned extends Obj {
  status?: { conditions?: Condition[] }
}

export interface App extends Obj {
  spec: {
    running?: boolean
    containerEngine?: Record<string, unknown> & { name?: string }
    vm?: Record<string, unknown> & { driver?: string; idleStop?: string }
  }
  status?: {
    conditions?: Condition[]
    engine?: { version?: string; apiVersion?: string }
    vm?: { driver?: string; driverReason?: string; endpoint?: string }
    hub?: { machine?: string; server?: string; allow?: string }
  }
}

export interface Port {
  containerPort: number
  protocol: string
  bindings?: { hostIP?: string; hostPort: number }[]
}

export interface Mount {
  type: string
  source?: string
  volume?: string
  destination: string
  readOnly?: boolean
}

export interface LastAction {
  action: string
  state: 'Running' | 'Succeeded' | 'Failed'
  error?: string
  observedAt?: string
  completedAt?: string
}

export interface Container extends Obj {
  spec?: { state?: 'unknown' | 'running' | 'created' }
  status?: {
    status?: string
    name?: string
    image?: string
    imageID?: string
    path?: string
    args?: string[]
    workingDir?: string
    user?: string
    hostname?: string
    restartPolicy?: { name?: string; maximumRetryCount?: number }
    restartCount?: number
    health?: { status?: string; failingStreak?: number; output?: string }
    mounts?: Mount[]
    networks?: { name: string; addresses?: string[]; macAddress?: string }[]
    ports?: Port[]
    labels?: Record<string, string>
    pid?: number
    exitCode?: number
    error?: string
    exitReason?: string
    createdAt?: string
    startedAt?: string
    finishedAt?: string
    lastAction?: LastAction
    conditions?: Condition[]
  }
}

export interface Image extends Obj {
  status?: {
    id?: string
    repoTag?: string
    repoDigests?: string[]
    createdAt?: string
    architecture?: string
    os?: string
    size?: number
    labels?: Record<string, string>
    conditions?: Condition[]
  }
}

export interface Volume extends Obj {
  status?: {
    name?: string
    driver?: string
    mountpoint?: string
    labels?: Record<string, string>
    options?: Record<string, string>
    scope?: string
    createdAt?: string
    conditions?: Condition[]
  }
}

export interface Network extends Obj {
  status?: {
    name?: string
    id?: string
    driver?: string
    scope?: string
    internal?: boolean
    attachable?: boolean
    ipv6?: boolean
    ipam?: { driver?: string; configs?: { subnet?: string; ipRange?: string; gateway?: string }[] }
    labels?: Record<string, string>
    createdAt?: string
    containers?: number
    conditions?: Condition[]
  }
}

export interface Progress {
  phase?: string
  bytes?: number
  totalBytes?: number
  layers?: number
  totalLayers?: number
  items?: { id: string; status?: string; bytes?: number; totalBytes?: number; done?: boolean }[]
}

export interface Request extends Obj {
  spec?: Record<string, unknown>
  status?: {
    conditions?: Condition[]
    message?: string
    startedAt?: string
    completedAt?: string
    progress?: Progress
    result?: { kind: string; name: string }
  }
}

export interface PullRequest extends Request {
  spec: { image: string; platform?: string }
}

export interface Pruned {
  kind: string
  name: string
  resource?: string
  bytes?: number
}

export interface PruneRequest extends Request {
  spec: { kinds?: string[]; all?: boolean; dryRun?: boolean }
  status?: Request['status'] & { pruned?: Pruned[]; prunedCount?: number; reclaimedBytes?: number }
}

export interface Event extends Obj {
  type?: string
  reason?: string
  message?: string
  count?: number
  firstTimestamp?: string
  lastTimestamp?: string
  eventTime?: string
  involvedObject?: { kind?: string; name?: string; uid?: string }
}

export interface TreeNode {
  name: string
  state: string
  since: string
  restarts: number
  lastFailure?: string
  lastFailureAt?: string
  mailbox: number
}

// Failure is one failure of an actor.
export interface Failure {
  name: string
  error: string
  at: string
  gaveUp?: boolean
}

// TreeEvent is the whole tree, or its changes since the last event.
export interface TreeEvent {
  type: 'SNAPSHOT' | 'CHANGED'
  nodes?: TreeNode[]
  gone?: string[]
  failures?: Failure[]
}

export interface Finding {
  check: string
  state: 'ok' | 'finding' | 'unchecked' | 'skipped'
  text: string
  next?: string
}

export interface Report {
  instance: string
  version: string
  time: string
  healthy: boolean
  checks: Finding[]
}

export interface Stats {
  time: string
  cpu: { usageNanoCores: number; onlineCores: number }
  memory: { usageBytes: number; limitBytes: number }
  network?: { receivedBytes: number; transmittedBytes: number }
  blockIO?: { readBytes: number; writeBytes: number }
  pids?: number
}

export interface Session {
  version: string
  instance: string
  namespace: string
  hub?: unknown
}

// condition returns the condition of a type.
export function condition(obj: Conditioned | undefined, type: string): Condition | undefined {
  return obj?.status?.conditions?.find((c) => c.type === type)
}
