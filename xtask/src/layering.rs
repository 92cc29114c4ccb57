use crate::Result;
pub(crate) fn check() -> Result {
    Ok(())
}
