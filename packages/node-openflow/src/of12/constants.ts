/** Enumerations and flags of OpenFlow 1.2, with those that are the same in 1.3. */

export {
  OFP_DEFAULT_PRIORITY,
  OFP_NO_BUFFER,
  OFPC_FRAG,
  OFPFC,
  OFPG,
  OFPGC,
  OFPGT,
  OFPMT,
  OFPP,
  OFPPC,
  OFPPF,
  OFPPR,
  OFPPS,
  OFPQ,
  OFPRR,
  OFPTC,
  OFPTT,
} from '../of11/constants.js';
export { OFPC, OFPCML, OFPCR_ROLE, OFPGFC, OFPIEH, OFPQ_RATE_UNCFG, OFPR, OFPVID } from '../of13/constants.js';

/** ofp_flow_mod_flags (OpenFlow 1.2 §A.3.4.1). */
export const OFPFF = { SEND_FLOW_REM: 1 << 0, CHECK_OVERLAP: 1 << 1, RESET_COUNTS: 1 << 2 } as const;
