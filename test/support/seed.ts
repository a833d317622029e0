import { configureGlobal } from 'fast-check'

// The same generated cases in every run, so that a red test is about the change at hand. FC_SEED=$RANDOM npm test looks for new ones.
configureGlobal({ seed: Number(process.env.FC_SEED ?? 20_220_120) })
