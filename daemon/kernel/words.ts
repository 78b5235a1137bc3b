/** Turns a fingerprint into a few words that two people can compare aloud. */

/** 256 short, plain words, one for each byte; no two share their first four letters, so a mumbled end still tells them apart. */
export const WORDS: readonly string[] =
  `acorn agate alder almond amber anchor anise apple apron arrow aspen aster atlas autumn azure badge
bagel baker balloon bamboo banjo basil beach bell berry birch biscuit bonnet border boulder bowl brass
bread breeze brick bridge brook biplane bubble bucket bugle buzz button cabin cactus camel candle canoe
canyon carpet carrot castle cedar cello cherry chess chime cider cinema circle clay cliff clover coast
cocoa comet coral cotton cradle crayon cricket crown daisy dapple dawn delta denim dolphin donkey dragon
drum duck easel echo elbow ember engine fabric falcon feather fennel fern ferry fiddle field finch
flag flame flute forest fossil fox fresco garden garlic gate ginger glacier globe goose grape gravel
guitar hammock harbor harp hazel heron hill holly honey horizon house igloo indigo iris island ivory
jacket jade jasmine jelly jewel jigsaw juniper kayak kettle kitten kiwi koala ladder lagoon lake lamp
lantern lark laurel lemon lilac linen lizard lobster locket lotus lunar lynx magnet mango maple marble
meadow melon mint mirror mitten morning moss mountain mulberry muffin nectar nest nickel north nutmeg oasis
oatmeal ocean olive opal orange orbit orchid otter oval owl oyster paddle panda papaya paper parrot
peach pebble pelican pencil pepper piano pillow pine planet plum pocket pollen pony poppy prairie puffin
pumpkin puzzle quail quartz quilt rabbit radish rain raven reed ribbon ridge river robin rocket rose
saddle saffron sail salmon sand scarf shell silver sketch snow sparrow spruce star stone storm summer
sun swan table tango teapot thimble tiger timber tulip tunnel turtle valley velvet violet wagon walnut`.split(
    /\s+/,
  )

/** The first `count` bytes of a hexadecimal digest, each as its word. */
export function fingerprintWords(sha256Hex: string, count: number): string[] {
  return [...Buffer.from(sha256Hex, 'hex').subarray(0, count)].map((byte) => WORDS[byte] ?? '')
}
