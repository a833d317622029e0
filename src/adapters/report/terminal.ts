import { stripVTControlCharacters, styleText } from 'node:util'
import { type EtlError, frames } from '../../domain/error.ts'
import { messages, type RunEvent } from '../../domain/event.ts'
import { listText } from '../../domain/moment.ts'
import type { Plan } from '../../domain/plan.ts'
import type { Report } from '../../ports/report.ts'
import { reusedName } from './fields.ts'

type Options = {
  readonly write: (text: string) => void
  /** A terminal that a line can be rewritten in. */
  readonly interactive: boolean
  readonly colours: boolean
  /** Width in characters. */
  readonly columns: number
}
type Style = 'bold' | 'dim' | 'green' | 'yellow' | 'red' | 'cyan'

/** For people: what is planned, one line of progress that is rewritten in place, what came of it. */
export function createTerminalReport(options: Options): Report {
  const { write, interactive, columns } = options
  const style = (name: Style, text: string) => (options.colours ? styleText(name, text, { validateStream: false }) : text)
  let progress = false
  let read = 0

  const line = (text: string) => {
    if (progress) write('\r\u001b[K')
    progress = false
    write(`${text}\n`)
  }
  const status = (text: string) => {
    if (!interactive) return
    const plain = stripVTControlCharacters(text)
    write(`\r\u001b[K${plain.length < columns ? text : plain.slice(0, Math.max(0, columns - 1))}`)
    progress = true
  }

  return {
    event(event) {
      switch (event.kind) {
        case 'planned':
          for (const text of planLines(event, event.plan, style)) line(text)
          return
        case 'created':
          line(`  ${style('green', '+')} made ${event.tables.map(name => name.slice(name.indexOf('.') + 1)).join(', ')}`)
          return
        case 'evolved':
          for (const change of event.changes) line(`  ${style('green', '+')} ${change}`)
          return
        case 'moment':
          if (event.at !== null) line(`  reading ${listText(event.sources)} as they were at ${event.at}`)
          if (event.apart !== '') line(`  ${style('yellow', '!')} ${event.apart}`)
          return
        case 'way':
          line(`  reading ${event.source} by ${event.by}`)
          return
        case 'reading':
          read = event.rows
          status(`  reading ${event.source}: ${rowsText(event.rows)}`)
          return
        case 'transformed':
          status(
            `  ${bar(event.done, event.of)} slice ${event.slice ?? '(all)'}: ${rowsText(event.rowsIn)} in, ${count(event.rowsOut)} out · ${rowsText(read)} read`,
          )
          return
        case 'staged':
          line(`  ${style('green', '✔')} staged ${rowsText(event.rows)}`)
          return
        case 'resumed':
          line(`  ${style('green', '✔')} took up ${rowsText(event.rows)} that an earlier attempt had staged`)
          return
        case 'audited':
          line(
            `  ${style('green', '✔')} audited ${rowsText(event.rows)}, ${count(event.checks)} checks${event.budget === null ? '' : `; ${event.budget}`}`,
          )
          for (const text of event.accepted) line(`  ${style('yellow', '!')} accepted: ${text}`)
          return
        case 'waiting':
          status(`  waiting ${seconds(event.milliseconds)}: ${event.why}`)
          return
        case 'published':
          line(`${style('green', '✔')} ${style('bold', messages.published.message)} ${summary(event)}`)
          return
        case 'alreadyPublished':
          line(
            `${style('yellow', '!')} ${messages.alreadyPublished.message}: ${event.version}, by attempt ${event.by}. ${reusedName}`,
          )
          return
        case 'postponed':
          line(`${style('yellow', '!')} ${messages.postponed.message}: ${event.what} of ${event.table}. ${event.error.problem}`)
          return
        case 'nothingToDo':
          line(`${style('green', '✔')} ${messages.nothingToDo.message}: ${event.why}`)
          return
        case 'superseded':
          line(
            `${style('yellow', '!')} ${messages.superseded.message}: ${event.table} has version ${event.version}, by ${event.by}`,
          )
          return
        case 'held':
          line(
            `${style('yellow', '!')} ${messages.held.message}: ${event.table} stays at version ${event.version} until it is released`,
          )
          return
        case 'failed':
          for (const text of errorLines(event.error, style)) line(text)
      }
    },
  }
}

type Styler = (name: Style, text: string) => string

function planLines({ pipeline, run, attempt }: RunEvent, plan: Plan, style: Styler): string[] {
  const { target } = plan.tables
  const scope =
    plan.scope === null
      ? 'everything'
      : plan.scope.length === 0
        ? 'no slice'
        : plan.scope.length === 1
          ? `${plan.scope[0]}`
          : `${count(plan.scope.length)} slices, ${plan.scope[0]} to ${plan.scope.at(-1)}`
  const rows = (known: number | null) => (known === null ? '' : ` (${rowsText(known)})`)
  return [
    `${style('bold', pipeline)} → ${style('cyan', `${target.project}.${target.dataset}.${target.table}`)} ${style('dim', `run ${run}, attempt ${attempt}`)}`,
    ...plan.sources.map(source => `  from     ${source.from}${rows(source.rows)}`),
    `  version  ${plan.version}${plan.head === null ? ' (the first)' : ''}`,
    `  slices   ${scope}${plan.left === 0 ? '' : `; ${count(plan.left)} wait for the next run`}: ${plan.why}`,
  ]
}

function rowsText(number: number): string {
  return `${count(number)} ${number === 1 ? 'row' : 'rows'}`
}

function summary(event: Extract<RunEvent, { kind: 'published' }>): string {
  const slices = event.slices === null ? '' : ` in ${count(event.slices)} ${event.slices === 1 ? 'slice' : 'slices'}`
  return `${event.version} of ${event.table}: ${rowsText(event.rows)}${slices}, ${seconds(event.milliseconds)}${event.unchanged ? ' (the same content as before)' : ''}`
}

function errorLines(error: EtlError, style: Styler): string[] {
  const { pipeline, step, at } = error.where
  const place = [pipeline, step, at].filter(part => part !== undefined).join(' › ')
  const own = error.cause instanceof Error ? frames(error.cause).split('\n').filter(isOwn).slice(0, 3) : []
  return [
    `${style('red', '✘')} ${style('bold', place === '' ? '' : `${place}: `)}${error.problem}`,
    ...own.map(frame => style('dim', `  ${frame}`)),
    ...(error.hint === undefined ? [] : [`  ${style('cyan', 'Hint:')} ${error.hint}`]),
    `  ${style('dim', error.kind === 'unknown' ? 'Whether it published is not known.' : 'Nothing was published.')}`,
  ]
}

/** A line of the author's code, not of a package or of Node. */
function isOwn(frame: string): boolean {
  return frame !== '' && !/node_modules|node:|src\/(engine|adapters)\//.test(frame)
}

function bar(done: number, of: number): string {
  const width = 20
  const full = of === 0 ? width : Math.round((done / of) * width)
  return `${'█'.repeat(full)}${'░'.repeat(width - full)} ${done}/${of}`
}

function count(number: number): string {
  return String(number).replace(/\B(?=(\d{3})+$)/g, ' ')
}

function seconds(milliseconds: number): string {
  return milliseconds < 950 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`
}
