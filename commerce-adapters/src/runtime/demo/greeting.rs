use super::catalog::{ADMIN_EMAIL, ADMIN_PASSWORD, CUSTOMER_PASSWORD};
use crate::runtime::remark;
use std::net::SocketAddr;

/// Says how to log in, and gives a purchase to paste.
pub(in super::super) fn greet(address: SocketAddr) {
    let email = "customer1@commerce.example";
    let (customer, admin, admin_email) = (CUSTOMER_PASSWORD, ADMIN_PASSWORD, ADMIN_EMAIL);
    remark(format_args!(
        r#"
This is the demo shop: customers customer1@commerce.example … customer2000@commerce.example with the password {customer},
and the administrator {admin_email} with the password {admin}. The API is described at http://{address}/docs

A purchase to paste into another terminal:

  SHOP=http://{address}
  TOKEN=$(curl -s $SHOP/api/auth/login -H 'Content-Type: application/json' \
    -d '{{"email":"{email}","password":"{customer}"}}' | sed 's/.*"accessToken":"\([^"]*\)".*/\1/')
  send() {{ curl -s -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' "$@"; echo; }}
  send $SHOP/api/products/rank/5
  send $SHOP/api/users/1/points -d '{{"chargePoint":200000}}'
  ORDER=$(send $SHOP/api/orders -H 'Prefer: wait=5' -d '{{"userId":1,"orderProductRequests":[{{"productOptionId":1,"quantity":1}}]}}' \
    | sed 's/.*"data":{{"id":\([0-9]*\).*/\1/')
  send $SHOP/api/payments -d "{{\"orderId\":$ORDER,\"userId\":1,\"type\":\"POINT\"}}"
  send $SHOP/api/orders/$ORDER
"#
    ));
}
