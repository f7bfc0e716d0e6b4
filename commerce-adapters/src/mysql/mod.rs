//! The store on MySQL 8.0+ or MariaDB 10.6+, for a shop on more than one machine.
