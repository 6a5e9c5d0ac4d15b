import './base.css';
import './jobs.css';
import './submit.css';
import './report.css';
