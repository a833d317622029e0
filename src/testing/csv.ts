import { readFile } from 'node:fs/promises'
import type { AnyRow, Column, Value } from '../domain/column.ts'
import { EtlError } from '../domain/error.ts'

export async function readCsv(path: string, columns: readonly Column[]): Promise<AnyRow[]> {
  const text = await readFile(path, 'utf8').catch(error => {
    throw new EtlError('fixture', `${path} is missing.`, { cause: error })
  })
  const [header = [], ...lines] = parse(text)
  const names = header.map(cell => cell.text)
  const missing = columns.find(column => !names.includes(column.name))
  if (missing !== undefined)
    throw new EtlError('schema', `there is no column ${missing.name} (there are: ${names.join(', ')}).`, {
      where: { step: path },
    })
  return lines.map(line =>
    Object.fromEntries(
      columns.map(column => [column.name, value(column, line[names.indexOf(column.name)] ?? { text: '', quoted: false })]),
    ),
  )
}

type Cell = { text: string; quoted: boolean }

function parse(text: string): Cell[][] {
  const rows: Cell[][] = []
  let row: Cell[] = []
  let cell: Cell = { text: '', quoted: false }
  let inside = false
  const endCell = () => {
    row.push(cell)
    cell = { text: '', quoted: false }
  }
  const endRow = () => {
    endCell()
    if (row.length > 1 || row[0]?.text !== '' || row[0].quoted) rows.push(row)
    row = []
  }
  for (let i = 0; i < text.length; i++) {
    const c = text[i] as string
    if (inside) {
      if (c === '"' && text[i + 1] === '"') {
        cell.text += '"'
        i++
      } else if (c === '"') inside = false
      else cell.text += c
    } else if (c === '"') {
      inside = true
      cell.quoted = true
    } else if (c === ',') endCell()
    else if (c === '\n') endRow()
    else if (c !== '\r') cell.text += c
  }
  if (cell.text !== '' || cell.quoted || row.length > 0) endRow()
  return rows
}

function value(column: Column, { text, quoted }: Cell): Value {
  if (text === '' && !quoted && (column.type !== 'STRING' || column.mode === 'NULLABLE'))
    return column.mode === 'REPEATED' ? [] : null
  if (column.mode === 'REPEATED' || column.type === 'RECORD') return JSON.parse(text) as Value
  if (column.type === 'INT64') return /^-?\d+$/.test(text) ? (column.bigint ? BigInt(text) : Number(text)) : text
  if (column.type === 'FLOAT64')
    return text.trim() === '' || Number.isNaN(Number(text)) !== (text === 'NaN') ? text : Number(text)
  if (column.type === 'BOOL') return text === 'true' ? true : text === 'false' ? false : text
  if (column.type === 'BYTES') return new Uint8Array(Buffer.from(text, 'base64'))
  return text
}
