/**
 * What a Job gets. The limit is measured, not guessed: bench/flagship writes the peak of the job's resident memory into bench/README.md, and the limit is the
 * next step above it. To be put right after each change of the bench's figures.
 * nais: resources, memory as `^\d+[KMG]i$`; the platform advises against a limit on CPU.
 */
export const resources = {
  limits: { memory: '512Mi' },
  requests: { cpu: '200m', memory: '256Mi' },
} as const
