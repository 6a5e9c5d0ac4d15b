import { LabIcon } from '@jupyterlab/ui-components';
import cloisterSvg from '../../style/icons/cloister.svg';
import reportSvg from '../../style/icons/report.svg';

/** An arch: a place that one does not look into. */
export const cloisterIcon = new LabIcon({ name: 'cloister:cloister', svgstr: cloisterSvg });

/** A sheet with a seal. */
export const reportIcon = new LabIcon({ name: 'cloister:report', svgstr: reportSvg });
