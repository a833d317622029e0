import type { Column, ColumnType } from './column.ts'
import { nearest } from './error.ts'
import { type Shape, typeText } from './shape.ts'

/**
 * `expand`: done by itself, and harmless to every older pod, since every INSERT names its columns. `keep`: nothing is done, and nobody is harmed.
 * `breaking`: somebody's reading or an older pod's writing would break; refused.
 */
type Class = 'expand' | 'keep' | 'breaking'

/** A difference between what a pipeline declares and what is there, with its sentence. */
export type Change = {
  readonly class: Class
  readonly kind:
    | 'add'
    | 'relax'
    | 'widen'
    | 'describe'
    | 'unwritten'
    | 'wider'
    | 'tighten'
    | 'nulls'
    | 'clusters'
    | 'partitions'
    | 'rename'
    | 'type'
    | 'fields'
    | 'key'
    | 'mode'
  /** Empty for the table as a whole. */
  readonly column: string
  readonly sentence: string
  readonly wanted?: Column
  readonly found?: Column
}

/** What is compared. A history has no readers of its own: descriptions and NULLs are the target's matter. */
export type Compared = {
  readonly role: 'target' | 'history'
  readonly wanted: readonly Column[]
  readonly found: readonly Column[]
  /** What the pipeline declared the last time, if that is known. */
  readonly last: Shape | null
}

/**
 * The differences of the columns, by the table of docs/evolution.md. Names differ in letters only where they differ in more than upper and lower case
 * (BigQuery: Column names).
 */
export function columnChanges(compared: Compared): readonly Change[] {
  const { wanted, found, last } = compared
  const gone = found.filter(column => named(wanted, column.name) === undefined)
  const changes = wanted.flatMap(column => {
    const there = named(found, column.name)
    return there === undefined ? [added(column, gone, last)] : existing(column, there, compared)
  })
  const renamed = new Set(changes.filter(change => change.kind === 'rename').map(change => change.found?.name))
  return [...changes, ...gone.filter(column => !renamed.has(column.name)).flatMap(unwritten)]
}

/** A column that the table lacks: new, or an old one under another name. */
function added(column: Column, gone: readonly Column[], last: Shape | null): Change {
  // What an earlier schema left out already is no longer anybody's: only what was written until now can be meant.
  const candidates = gone.filter(
    other => typeText(other) === typeText(column) && (last === null || last.columns[other.name] !== undefined),
  )
  const guess = nearest(
    column.name,
    candidates.map(other => other.name),
  )
  const old = candidates.find(other => other.name === guess)
  if (old !== undefined) {
    return {
      class: 'breaking',
      kind: 'rename',
      column: column.name,
      sentence: `column ${old.name} is called ${column.name} in the row schema: BigQuery's readers would lose it (if ${column.name} is a new column, leave ${old.name} out first, run once, and then add ${column.name})`,
      wanted: column,
      found: old,
    }
  }
  const audited = column.mode === 'REQUIRED' ? '; BigQuery adds it nullable, the audit refuses NULL from now on' : ''
  return {
    class: 'expand',
    kind: 'add',
    column: column.name,
    sentence: `column ${column.name} ${typeText(column)} is new${audited}`,
    wanted: column,
  }
}

/** A column that is there, compared. */
function existing(column: Column, found: Column, { role, last }: Compared): readonly Change[] {
  const about = { column: column.name, wanted: column, found }
  const types = typeChange(column, found)
  if (types?.class === 'breaking') return [{ ...about, ...types }]
  const changes: Change[] = types === undefined ? [] : [{ ...about, ...types }]
  if (column.mode === 'NULLABLE' && found.mode === 'REQUIRED') changes.push(relaxed(found, column))
  if (role === 'history') return changes
  const wasNullable = Object.entries(last?.columns ?? {}).some(([name, type]) => same(name, column.name) && type.endsWith('?'))
  if (column.mode === 'REQUIRED' && found.mode === 'NULLABLE' && wasNullable) {
    const sentence = `column ${column.name} takes no NULL from now on: the audit sees to it, since BigQuery can't add NOT NULL`
    changes.push({ ...about, class: 'keep', kind: 'tighten', sentence })
  }
  if (column.description !== undefined && column.description !== found.description)
    changes.push({ ...about, class: 'expand', kind: 'describe', sentence: `column ${column.name} has another description` })
  return changes
}

/** A tightened column of a table that keeps rows in which it is NULL. */
export function refusedByNulls(change: Change, rows: bigint): Change {
  const sentence = `column ${change.column} takes no NULL in the row schema, but is NULL in ${rows} ${rows === 1n ? 'row' : 'rows'} that stay`
  return { ...change, class: 'breaking', kind: 'nulls', sentence }
}

/**
 * BigQuery: ALTER COLUMN SET DATA TYPE, 'The following data type conversions are supported'. An INSERT coerces the same ways (GoogleSQL: Conversion
 * rules), so that an older pod, which writes the narrower type, goes on.
 */
const widenings: Partial<Record<ColumnType, readonly ColumnType[]>> = {
  INT64: ['NUMERIC', 'BIGNUMERIC', 'FLOAT64'],
  NUMERIC: ['BIGNUMERIC', 'FLOAT64'],
}

/** Can every value of the one be stored as the other, by ALTER COLUMN and by INSERT? Not within records: those coerce as a whole, or not at all. */
function widens(from: ColumnType, to: ColumnType): boolean {
  return widenings[from]?.includes(to) === true
}

function typeChange(column: Column, found: Column): Pick<Change, 'class' | 'kind' | 'sentence'> | undefined {
  const [wanted, there] = [typeText(column), typeText(found)]
  const plain = column.mode !== 'REPEATED' && found.mode !== 'REPEATED'
  if (plain && widens(found.type, column.type)) {
    return { class: 'expand', kind: 'widen', sentence: `column ${column.name} becomes ${wanted}; it is ${there}` }
  }
  if (plain && widens(column.type, found.type)) {
    const exact = found.type === 'FLOAT64' ? '; whole numbers above 2^53 are not exact there' : ''
    return { class: 'keep', kind: 'wider', sentence: `column ${column.name} stays ${there}, which holds every ${wanted}${exact}` }
  }
  if (column.type !== found.type || (column.mode === 'REPEATED') !== (found.mode === 'REPEATED')) {
    return { class: 'breaking', kind: 'type', sentence: `column ${column.name} is ${there} there, the row schema says ${wanted}` }
  }
  if (column.type !== 'RECORD') return undefined
  const why = fieldsDiffer(column, found)
  return why === undefined
    ? undefined
    : {
        class: 'breaking',
        kind: 'fields',
        sentence: `column ${column.name} is ${there} there, the row schema says ${wanted}: ${why}`,
      }
}

/**
 * Records must have the same fields in the same order: they are told by place when they are inserted (GoogleSQL: Data types, STRUCT), and ALTER TABLE changes
 * nothing inside of them (BigQuery: ALTER TABLE ADD COLUMN, 'Nested columns inside existing RECORD fields'; ALTER COLUMN, 'Modifying subfields is not supported').
 */
function fieldsDiffer(wanted: Column, found: Column): string | undefined {
  const [mine, theirs] = [wanted.fields ?? [], found.fields ?? []]
  const fixed = 'BigQuery changes no field inside a record by ALTER TABLE, and an older pod could not insert into it'
  if (mine.length !== theirs.length || mine.some(field => named(theirs, field.name) === undefined))
    return `other fields; ${fixed}`
  for (const [place, field] of mine.entries()) {
    const other = theirs[place]
    if (other === undefined || !same(other.name, field.name))
      return 'the order of its fields is another, and records are inserted by place'
    if (field.type !== other.type || (field.mode === 'REPEATED') !== (other.mode === 'REPEATED'))
      return `field ${field.name} has another type; ${fixed}`
    if (field.mode === 'NULLABLE' && other.mode === 'REQUIRED') return `field ${field.name} is required there; ${fixed}`
    const inside = field.type === 'RECORD' ? fieldsDiffer(field, other) : undefined
    if (inside !== undefined) return inside
  }
  return undefined
}

/** A column that the row schema lacks: it stays, and a required one is relaxed first, so that it can be left out. */
function unwritten(found: Column): readonly Change[] {
  const kept: Change = {
    class: 'keep',
    kind: 'unwritten',
    column: found.name,
    sentence: `column ${found.name} ${typeText(found)} is not in the row schema: it stays, and is ${found.mode === 'REPEATED' ? 'empty' : 'NULL'} in new rows`,
    found,
  }
  return found.mode === 'REQUIRED' ? [relaxed(found), kept] : [kept]
}

/**
 * The columns as the target holds them: wider where it stays wider, nullable where it has old rows with NULL. A history that gets a copy of the target's
 * rows must hold the same.
 */
export function heldColumns(wanted: readonly Column[], found: readonly Column[]): readonly Column[] {
  return wanted.map(column => {
    const there = named(found, column.name)
    if (there === undefined) return found.length === 0 || column.mode !== 'REQUIRED' ? column : { ...column, mode: 'NULLABLE' }
    const type = column.mode !== 'REPEATED' && widens(column.type, there.type) ? there.type : column.type
    return { ...column, type, mode: column.mode === 'REQUIRED' && there.mode === 'NULLABLE' ? 'NULLABLE' : column.mode }
  })
}

function relaxed(found: Column, wanted?: Column): Change {
  const sentence = `column ${found.name} may be NULL from now on`
  return { class: 'expand', kind: 'relax', column: found.name, sentence, found, ...(wanted === undefined ? {} : { wanted }) }
}

function named(columns: readonly Column[], name: string): Column | undefined {
  return columns.find(column => same(column.name, name))
}

function same(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase()
}
