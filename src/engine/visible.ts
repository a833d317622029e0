import type { PublishedVersion } from './versions.ts'

/**
 * append: the versions whose rows the table shows at a version, oldest first. A version that was brought back hides what was added after it: from there
 * on the walk goes on at the one it brought back. `all` is newest first.
 */
export function visibleAt(all: readonly PublishedVersion[], version: string): readonly string[] {
  const seen: string[] = []
  let at = all.findIndex(one => one.version === version)
  while (at >= 0 && at < all.length) {
    const one = all[at] as PublishedVersion
    if (one.restores !== null) {
      at = all.findIndex(other => other.version === one.restores)
      continue
    }
    seen.push(one.version)
    at += 1
  }
  return seen.reverse()
}
