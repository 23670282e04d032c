//! Files of certificates, and whom they make trusted.

use super::*;

fn told(content: &[u8]) -> Result<Trust, String> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), content).unwrap();
    Trust::at("https://inlet.example", Some(file.path())).map_err(|error| error.to_string())
}

fn authority() -> String {
    rcgen::generate_simple_self_signed(["authority.example".to_owned()]).unwrap().cert.pem()
}

#[test]
fn a_file_may_hold_several_certificates_and_words_between_them() {
    let text = format!("# ours\n{}\n# theirs\n{}", authority(), authority());
    let Ok(Trust::Only(certificates)) = told(text.as_bytes()) else { panic!("they are not trusted") };
    assert_eq!(certificates.len(), 2);
}

#[test]
fn a_file_that_cannot_be_used_says_why() {
    let key = rcgen::KeyPair::generate().unwrap().serialize_pem();
    let damaged = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let twice = format!("{}{damaged}", authority());
    let long = vec![b'a'; usize::try_from(MAX_FILE).unwrap() + 1];
    for (content, expected) in [
        (&b""[..], "there is no certificate in PEM form in it"),
        (b"\xff\xfe", "there is no certificate in PEM form in it"),
        (key.as_bytes(), "there is no certificate in PEM form in it"),
        (b"-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n", "it is not in PEM form"),
        (twice.as_bytes(), "certificate 2 in it is damaged"),
        (&long, "it has more than 4194304 bytes"),
    ] {
        assert_eq!(told(content).unwrap_err(), expected);
    }
    let absent = Trust::at("https://a", Some(Path::new("/no/such/file"))).unwrap_err();
    assert_eq!(absent.to_string(), "it cannot be read");
}

#[test]
fn plain_http_needs_no_certificates() {
    let absent = Some(Path::new("/no/such/file"));
    assert!(matches!(Trust::at("http://a", absent), Ok(Trust::Nobody)));
    assert!(matches!(Trust::at("HTTPS://a", None), Ok(Trust::System)));
}
