import { GoogleSqlError } from './error.ts'
import type { ByteRange } from './tree.ts'

/** A replacement of a range of bytes. */
export type Edit = ByteRange & { readonly text: string }

/** A piece of a script, with replacements, that knows where each of its places came from. */
export type Piece = {
  readonly text: string
  /** The error with its position, `[at line:column]`, as the whole script counts it. */
  relocate(error: unknown): unknown
}

/** Cuts a range out of a script and replaces parts of it; the edits' ranges are the script's, and may not overlap. */
export function cut(script: Buffer, range: ByteRange, edits: readonly Edit[] = [], before = '', after = ''): Piece {
  const inside = edits.filter(each => each.start >= range.start && each.end <= range.end).sort((a, b) => a.start - b.start)
  const parts: { bytes: Buffer; from: number; fixed: boolean }[] = [
    { bytes: Buffer.from(before), from: range.start, fixed: true },
  ]
  let at = range.start
  for (const each of inside) {
    parts.push({ bytes: script.subarray(at, each.start), from: at, fixed: false })
    parts.push({ bytes: Buffer.from(each.text), from: each.start, fixed: true })
    at = each.end
  }
  parts.push(
    { bytes: script.subarray(at, range.end), from: at, fixed: false },
    { bytes: Buffer.from(after), from: range.end, fixed: true },
  )
  const bytes = Buffer.concat(parts.map(each => each.bytes))
  const origin = (offset: number): number => {
    let passed = 0
    for (const part of parts) {
      if (offset < passed + part.bytes.length) return part.fixed ? part.from : part.from + offset - passed
      passed += part.bytes.length
    }
    return range.end
  }
  return {
    text: bytes.toString(),
    relocate(error) {
      if (!(error instanceof GoogleSqlError)) return error
      const message = error.message.replace(/\[at (\d+):(\d+)\]/g, (_, line, column) => {
        const place = positionOf(script, origin(offsetOf(bytes, Number(line), Number(column))))
        return `[at ${place.line}:${place.column}]`
      })
      return new GoogleSqlError(error.kind, message)
    },
  }
}

/** Line and column, from 1, as Google's messages count them: in characters, a tab reaching to the next multiple of eight. */
export function positionOf(bytes: Buffer, offset: number): { line: number; column: number } {
  const lines = bytes
    .subarray(0, offset)
    .toString()
    .split(/\r\n|\n|\r/)
  let column = 1
  for (const character of lines.at(-1) ?? '') column = after(column, character)
  return { line: lines.length, column }
}

function offsetOf(bytes: Buffer, line: number, column: number): number {
  let currentLine = 1
  let currentColumn = 1
  let offset = 0
  let previous = ''
  for (const character of bytes.toString()) {
    if (currentLine > line || (currentLine === line && currentColumn >= column)) break
    offset += Buffer.byteLength(character)
    if (character === '\n' && previous === '\r') {
      previous = character
      continue
    }
    previous = character
    if (character === '\n' || character === '\r') {
      currentLine++
      currentColumn = 1
    } else currentColumn = after(currentColumn, character)
  }
  return offset
}

function after(column: number, character: string): number {
  return character === '\t' ? Math.floor((column - 1) / 8) * 8 + 9 : column + 1
}
