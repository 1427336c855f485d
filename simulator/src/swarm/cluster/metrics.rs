//! Reads a process's `/metrics`.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(1);

/// The sum of a counter over all its labels, from the process with this admin port. 0 if it has not counted anything
/// yet; none if it can't be read.
pub async fn counter(admin: SocketAddr, token: &str, name: &str) -> Option<u64> {
    let ask = async {
        let mut stream = TcpStream::connect(admin).await?;
        let request = format!(
            "GET /metrics HTTP/1.1\r\nHost: {admin}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await?;
        let mut response = Vec::new();
        stream.read_to_end(&mut response).await?;
        std::io::Result::Ok(response)
    };
    let response = timeout(PATIENCE, ask).await.ok()?.ok()?;
    counted(&String::from_utf8_lossy(&response), name)
}

fn counted(response: &str, name: &str) -> Option<u64> {
    if !response.starts_with("HTTP/1.1 200") {
        return None;
    }
    let of_name = |line: &str| {
        let rest = line.strip_prefix(name)?;
        let labels = rest.strip_prefix('{').and_then(|rest| rest.split_once('}'));
        labels.map_or(rest, |(_, value)| value).strip_prefix(' ')?.trim().parse::<f64>().ok()
    };
    Some(response.lines().filter_map(of_name).sum::<f64>() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_is_found_among_others_and_is_zero_before_it_counted() {
        let response = "HTTP/1.1 200 OK\r\n\r\n# TYPE a counter\na_b 7\na 12\nd{of=\"x\"} 3\nd{of=\"y\"} 4\n";
        assert_eq!(counted(response, "a"), Some(12));
        assert_eq!(counted(response, "d"), Some(7));
        assert_eq!(counted(response, "c"), Some(0));
        assert_eq!(counted("HTTP/1.1 401 Unauthorized\r\n\r\n", "a"), None);
    }
}
