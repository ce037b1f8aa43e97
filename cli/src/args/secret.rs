//! What the commands on secrets take.

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub enum SecretCommand {
    /// Keep a secret, read from the terminal or the standard input, and say where it may be typed.
    #[command(after_help = SECRET_SET)]
    Set {
        /// What tasks and workflows call it.
        name: String,
        /// A site where it may be typed, with all that lies below it; may be repeated.
        #[arg(long, value_name = "DOMAIN", required_unless_present = "app")]
        domain: Vec<String>,
        /// A program in which it may be typed, by its window class; may be repeated.
        #[arg(long, value_name = "PROGRAM")]
        app: Vec<String>,
        /// A field by its name that is no password field, where it may be typed all the same; may be
        /// repeated.
        #[arg(long, value_name = "NAME")]
        field: Vec<String>,
        /// Keep it in a file that only your account can read, and not in the keyring of the system.
        #[arg(long)]
        in_file: bool,
    },
    /// Show which secrets there are, where each may be typed and where it is kept. Never what they are.
    #[command(after_help = SECRET_LIST)]
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Remove a secret.
    #[command(after_help = SECRET_RM)]
    Rm {
        /// Its name.
        name: String,
    },
}

const SECRET_SET: &str = "\
A task types it by its name, {{secret:shop}}: the model sees nothing else of it. It goes into password
fields, and into those that you name, of these programs and sites alone.

Examples:
  freehand secret set shop --domain shop.example
  freehand secret set token --app mousepad --field \"API key\" --in-file < token.txt
  freehand run \"Log in as ada with {{secret:shop}}\"";

const SECRET_LIST: &str = "\
Example:
  freehand secret list";

const SECRET_RM: &str = "\
Example:
  freehand secret rm shop";
