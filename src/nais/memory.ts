/**
 * What a Job gets. The limit is measured: bench/flagship has the peak of the flagship's resident memory (261 MiB with `frame`, 181 MiB with a plain function,
 * 5 million rows; it does not grow with the table), and the limit is the next step above it.
 * nais: resources, memory as `^\d+[KMG]i$`; the platform advises against a limit on CPU.
 */
export const resources = {
  limits: { memory: '512Mi' },
  requests: { cpu: '200m', memory: '256Mi' },
} as const

/**
 * How node is started. Pages of text are garbage as soon as they are read, and V8 lets its young generation grow to 64 MB in their favour; held at this many
 * MB it collects more often, at no cost that bench/flagship can see. The old generation may have half of the limit: V8 takes that by itself where it sees
 * the pod's limit (v8: Heap::HeapSizeFromPhysicalMemory); said here it is so everywhere, and V8 leaves less garbage lying than on a machine of many GB.
 * A young generation of 4 MB is copied in half a millisecond by one thread; by several it takes four times as long where they have to wait for a processor, as beside a
 * Postgres, a thread that compresses and a Job's share of a machine. None has an effect once the process runs.
 */
export const nodeFlags = ['--max-semi-space-size=4', '--max-old-space-size=256', '--no-parallel-scavenge'] as const
