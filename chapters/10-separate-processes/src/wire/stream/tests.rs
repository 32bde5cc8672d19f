use tokio::io::duplex;

use super::*;
use crate::wire::frame::Frame;

const PIPE: usize = 1 << 20;

#[tokio::test]
async fn frames_arrive_however_the_bytes_are_cut() {
    let mut writer = FrameWriter::new(Vec::new());
    for _ in 0..3 {
        writer.add(&Frame::Ping).expect("it is small");
    }
    let bytes = writer.buffer.clone();
    let (mut near, far) = duplex(1);
    tokio::spawn(async move {
        near.write_all(&bytes).await.expect("it is read");
    });
    let mut reader = FrameReader::new(far);
    for _ in 0..3 {
        assert_eq!(reader.next::<Frame>().await.expect("a frame"), Frame::Ping);
    }
    let end = reader.next::<Frame>().await;
    assert!(matches!(end, Err(StreamError::Closed)), "{end:?}");
}

/// A call that is dropped half-way has lost nothing: the loop around it uses `select!`.
#[tokio::test]
async fn a_reader_that_is_interrupted_goes_on_where_it_was() {
    let (near, far) = duplex(PIPE);
    let (mut writer, mut reader) = (FrameWriter::new(near), FrameReader::new(far));
    writer.add(&Frame::Ping).expect("it is small");
    let bytes = std::mem::take(&mut writer.buffer);
    for byte in bytes {
        let soon = timeout(Duration::from_millis(1), reader.next::<Frame>());
        assert!(soon.await.is_err(), "it is not complete yet");
        writer.buffer.push(byte);
        writer.flush().await.expect("there is room");
    }
    assert_eq!(reader.next::<Frame>().await.expect("a frame"), Frame::Ping);
}

#[tokio::test]
async fn a_length_over_the_limit_is_refused_at_once() {
    for announced in [codec::MAX_BYTES + 1, u32::MAX as usize] {
        let (mut near, far) = duplex(PIPE);
        let announced = u32::try_from(announced).expect("it fits");
        near.write_all(&announced.to_le_bytes())
            .await
            .expect("there is room");
        let read = FrameReader::new(far).next::<Frame>().await;
        assert!(matches!(read, Err(StreamError::TooLong(length)) if length == announced));
    }
}

#[tokio::test(start_paused = true)]
async fn half_a_frame_is_given_up_after_a_time() {
    let (mut near, far) = duplex(PIPE);
    near.write_all(&[9, 0, 0]).await.expect("there is room");
    let read = FrameReader::new(far).next::<Frame>().await;
    assert!(matches!(read, Err(StreamError::TooSlow)), "{read:?}");
}

/// One byte each time is no way to keep a connection busy for ever.
#[tokio::test(start_paused = true)]
async fn a_frame_that_dribbles_in_is_given_up_after_the_same_time() {
    let (mut near, far) = duplex(PIPE);
    tokio::spawn(async move {
        let announced = 1000_u32.to_le_bytes();
        near.write_all(&announced).await.expect("there is room");
        while near.write_all(&[0]).await.is_ok() {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    });
    let began = Instant::now();
    let read = FrameReader::new(far).next::<Frame>().await;
    assert!(matches!(read, Err(StreamError::TooSlow)), "{read:?}");
    assert!(began.elapsed() <= FRAME_TIME + Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn an_announced_length_takes_no_memory() {
    let (mut near, far) = duplex(PIPE);
    let announced = u32::try_from(codec::MAX_BYTES).expect("it fits");
    near.write_all(&announced.to_le_bytes())
        .await
        .expect("there is room");
    near.write_all(&[0; 10]).await.expect("there is room");
    let mut reader = FrameReader::new(far);
    assert!(reader.next::<Frame>().await.is_err());
    assert!(
        reader.buffer.capacity() <= 8 * READ_STEP,
        "{}",
        reader.buffer.capacity()
    );
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_takes_nothing_is_given_up_after_a_time() {
    let (near, _far) = duplex(1);
    let sent = FrameWriter::new(near).send(&Frame::Ping).await;
    assert!(matches!(sent, Err(StreamError::Stuck)), "{sent:?}");
}

#[test]
fn a_frame_over_the_limit_is_not_added() {
    let mut writer = FrameWriter::new(Vec::new());
    let large = vec![0_u8; codec::MAX_BYTES];
    assert!(writer.add(&large).is_err());
    assert_eq!(writer.waiting(), 0);
}
