use commerce_adapters::runtime::{Failure, OpenShop, Presence, SharedArgs, say};
use commerce_core::user::{Email, Password, Role, UserName};
use commerce_core::{CommandError, Commerce};
use std::io::{BufRead, IsTerminal};

/// The options of `create-admin`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The display name, 2–20 characters
    #[arg(long, env = "COMMERCE_NAME")]
    name: String,
    /// The address it logs in with
    #[arg(long, env = "COMMERCE_EMAIL")]
    email: String,
}

pub(crate) async fn run(shared: &SharedArgs, Arguments { name, email }: Arguments) -> Result<(), Failure> {
    let usage = |refusal: &dyn std::fmt::Display| Failure::Usage(refusal.to_string());
    let name = UserName::parse(&name).map_err(|refusal| usage(&refusal))?;
    let email = Email::parse(&email).map_err(|refusal| usage(&refusal))?;
    let password = Password::parse(&read_password()?).map_err(|refusal| usage(&refusal))?;

    let shop = OpenShop::open(shared, Presence::Beside).await?;
    let commerce = Commerce::open(shop.parts().clone(), shop.settings(shared));
    let hash = shop.parts().passwords.hash(&password).await.map_err(|error| Failure::Missing(error.to_string()))?;
    let registered = commerce.register_hashed(name, email, hash, Role::Admin).await;
    commerce.shutdown().await;
    shop.close().await?;
    match registered {
        Ok(user) => {
            say(format_args!("administrator {} is {}", user.id, user.email.as_str()));
            Ok(())
        }
        Err(CommandError::Refused(refusal)) => Err(Failure::Bad(refusal.to_string())),
        Err(error) => Err(Failure::missing("cannot make the administrator", &error)),
    }
}

fn read_password() -> Result<String, Failure> {
    if std::io::stdin().is_terminal() {
        let ask = |prompt| rpassword::prompt_password(prompt).map_err(|error| Failure::missing("cannot read the password", &error));
        let password = ask("Password: ")?;
        if ask("The same again: ")? != password {
            return Err(Failure::Usage("the two passwords differ".into()));
        }
        return Ok(password);
    }
    let mut line = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut line)
        .map_err(|error| Failure::missing("cannot read the password from standard input", &error))?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
