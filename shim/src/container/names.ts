/** Names for containers that nobody named: an adjective and the surname of somebody whose work computing stands on. */

import { randomInt } from 'node:crypto';

const ADJECTIVES =
  'admiring agile amazed amused ardent awake blissful bold brave bright busy calm candid careful charming cheerful clever competent confident cool ' +
  'cosmic crisp curious daring dazzling determined dreamy eager earnest eloquent elastic elated epic exact fair fancy fearless festive focused ' +
  'friendly frosty funny gallant gentle gifted goofy gracious happy hardy helpful hopeful humble infallible intent inspiring jolly jovial keen kind ' +
  'laughing lively loving lucid magical modest mellow musing nifty nimble noble nostalgic objective optimistic patient peaceful pensive polite ' +
  'practical proud quick quiet quirky relaxed reverent romantic serene sharp silly sleepy smart stoic strange suspicious sweet tender thirsty ' +
  'trusting upbeat vibrant vigilant wise witty wonderful youthful zealous zen';

const SURNAMES =
  'abel agnesi albattani allen ampere archimedes babbage backus banach bardeen bartik bell bernoulli black blackwell bohr boltzmann boole borg bose ' +
  'brahmagupta brattain brown cantor carson cerf chandrasekhar chaplygin church clarke codd cohen conway cray curie curry darwin davinci dijkstra ' +
  'dirac easley edison einstein elgamal elion engelbart euclid euler faraday fermat fermi feynman floyd franklin galileo galois gauss germain ' +
  'goldberg goldstine goldwasser goodall gosling hamilton haslett hawking heisenberg hellman hermann hertz hilbert hoare hodgkin hoover hopper hugle ' +
  'huygens hypatia ishizaka jackson jennings jepsen johnson joliot jones kalam kapitsa kare karp kay keldysh keller kepler khayyam kilby kirch ' +
  'kleene knuth kowalevski lagrange lamarr lamport laplace leakey leavitt leibniz lewin liskov lovelace lumiere mahavira markov maxwell mayer ' +
  'mccarthy mcclintock mclean meitner mendel mendeleev merkle minsky mirzakhani montalcini moore morse moser napier nash neumann newton ' +
  'nightingale nobel noether noyce pascal pasteur payne pearson pike planck poincare poitras postel ptolemy raman ramanujan rhodes ride riemann ' +
  'ritchie robinson roentgen rosalind rubin saha sammet satoshi shannon shirley shockley sinoussi snyder spence stallman stonebraker swanson ' +
  'swartz swirles taussig tesla tharp thompson torvalds tu turing varahamihira vaughan villani visvesvaraya volhard wescoff wilbur wiles ' +
  'williams wilson wing wirth wozniak wright wu yalow yonath zhukovsky';

const adjectives = ADJECTIVES.split(' ');
const surnames = SURNAMES.split(' ');

/** `random(n)` gives a number from 0 to n - 1. From the second attempt on, a digit makes the name another one. */
export function randomName(attempt: number, random: (limit: number) => number = randomInt): string {
  for (;;) {
    const name = `${adjectives[random(adjectives.length)]}_${surnames[random(surnames.length)]}`;
    // Steve Wozniak is not boring.
    if (name !== 'boring_wozniak') return attempt === 0 ? name : `${name}${random(10)}`;
  }
}
