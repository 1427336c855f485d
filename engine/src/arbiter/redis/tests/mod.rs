//! The arbiter on real servers.

mod house;
mod losses;
mod stopped;
mod two_engines;

mod on_one_redis {
    super::super::super::contract::arbiter_contract!(super::house::on_shared_redis().await, 128);
}

mod on_a_cluster {
    super::super::super::contract::arbiter_contract!(super::house::on_shared_cluster().await, 64);
}
