import type { Command } from './command.ts'

export const make: Command = {
  name: 'new',
  summary: 'write a new pipeline: schema, fixture, failing test',
  usage: 'NAME',
  help: '',
  options: {},
  words: { least: 1, most: 1 },
  run: async () => 0,
}
