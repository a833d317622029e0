import type { Command } from './command.ts'

export const manifest: Command = {
  name: 'manifest',
  summary: 'write naisjob.yaml and alerts.yaml from the pipelines',
  usage: '[--check]',
  help: '',
  options: { check: { type: 'boolean' } },
  words: { least: 0, most: 0 },
  run: async () => 0,
}
