// Runs inside the visited page, where the DOM is: what the tests ask a page about itself.
document.addEventListener('securitypolicyviolation', (event) => {
  console.error(`policy report: ${event.violatedDirective} ${event.blockedURI}`)
})

globalThis.inPage = { smallTargets, seriousFindings, sideways, keptRows, untilKept }

/** Everything that can be pressed and is smaller than `least` pixels in one direction. */
function smallTargets(least) {
  const pressable = document.querySelectorAll('a[href], button, select, input, [role="button"]')
  return [...pressable].flatMap((element) => {
    // A radio or tick box is pressed through the whole row of its label.
    const target = element.closest('label') ?? element
    const { width, height, bottom } = target.getBoundingClientRect()
    const { visibility, pointerEvents } = getComputedStyle(target)
    const hidden = visibility === 'hidden' || pointerEvents === 'none' || width === 0 || bottom <= 0
    if (hidden || (width >= least && height >= least)) return []
    return [`${target.outerHTML.slice(0, 90)} is ${Math.round(width)} × ${Math.round(height)}`]
  })
}

/** Serious and critical findings of axe, which the test has brought in before. */
async function seriousFindings() {
  const { violations } = await globalThis.axe.run()
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`)
}

/** Pixels by which the page can be pushed sideways. */
function sideways() {
  return document.documentElement.scrollWidth - document.documentElement.clientWidth
}

/** Rows that this browser keeps about the household. */
async function keptRows() {
  // Opening what is not there would make it, empty and in the way of the app.
  const kept = await indexedDB.databases()
  if (!kept.some(({ name }) => name === 'homefield')) return 0
  return new Promise((resolve, reject) => {
    const request = indexedDB.open('homefield')
    request.onerror = () => reject(request.error)
    request.onsuccess = () => {
      const count = request.result.transaction('vault').objectStore('vault').count()
      count.onsuccess = () => {
        request.result.close()
        resolve(count.result)
      }
    }
  })
}

/** Resolves when the browser keeps a key and what it locks. */
async function untilKept() {
  while ((await keptRows()) < 2) await new Promise((resolve) => setTimeout(resolve, 50))
  return true
}
