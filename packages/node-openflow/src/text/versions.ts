/** Version bytes of OpenFlow where its text means different messages. */
export const OF10 = 1;
export const OF13 = 4;
export const OF14 = 5;
export const OF15 = 6;
