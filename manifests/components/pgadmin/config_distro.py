# pgAdmin's own start writes this file where it finds none; here the file system is read-only.
CA_FILE = '/etc/ssl/certs/ca-certificates.crt'
LOG_FILE = '/dev/null'
HELP_PATH = '../../docs'
UPGRADE_CHECK_ENABLED = False
MASTER_PASSWORD_REQUIRED = False
